// The newest SDK and 2.20.0, which always offers, in one session.
import { stage } from '../lib/stage.js';

const play = stage({ chromium: { devices: true } });

play('2.32.2 and 2.20.0 see and hear each other', async (s) => {
  const session = await s.session();
  const [a, b] = await s.joinAll(session, { sdk: '2.32.2' }, { sdk: '2.20.0' });
  await Promise.all([a.publish(), b.publish()]);
  await s.allSeeAndHear();
  await a.assertTransport(b);
  await b.assertTransport(a);
});
