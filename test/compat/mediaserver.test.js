// OpenVidu Enterprise's choice of a media server is taken, and changes who offers, not what works.
import { stage } from '../lib/stage.js';

for (const mediaServer of ['kurento', 'mediasoup']) {
  const play = stage({ env: { OPENVIDU_ENTERPRISE_MEDIA_SERVER: mediaServer } });
  play(`ENT_05c__${mediaServer}: three releases see and hear each other, whoever makes the offers`, async (s) => {
    const session = await s.session();
    const people = await s.joinAll(session, { sdk: '2.32.2' }, { sdk: '2.20.0' }, { sdk: '2.11.0' });
    for (const person of people) await person.publish();
    for (const viewer of people) for (const other of people) if (viewer !== other) await viewer.seesAndHears(other);
    await s.assertNever(people, 'exception');
  });
}
