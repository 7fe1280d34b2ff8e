// Chromium and Firefox, with both SDK releases on the Firefox side.
import { stage } from '../lib/stage.js';

const play = stage({ chromium: { devices: true } });

for (const sdk of ['2.32.2', '2.20.0']) {
  play(`Chromium and Firefox with ${sdk} see and hear each other`, async (s) => {
    const session = await s.session();
    const [a, b] = await s.joinAll(session, {}, { browser: 'firefox', sdk });
    await Promise.all([a.publish(), b.publish()]);
    await s.allSeeAndHear(undefined, { within: 15_000 });
    await a.assertTransport(b);
  });
}
