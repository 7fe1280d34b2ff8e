// Clients that hide their addresses behind mDNS names, as every visitor without camera permission does (promise KMS-20,
// with a namespace bridge for Docker's).
import assert from 'node:assert/strict';
import { Lab } from '../lib/lab.js';
import { stage } from '../lib/stage.js';

const play = stage({ lab: () => Lab.open('srv', 'one', 'two'), namespace: 'srv' });
const limit = 2000; // ms

play('KMS_20__HiddenAddressesConnectSoonAndSilently', async (s) => {
  const session = await s.session();
  const [a, b] = await s.joinAll(session, { namespace: 'one' }, { namespace: 'two' });
  await a.publish();
  await b.seesAndHears(a);
  const { media } = await b.call('times', a.stream);
  console.log(`mDNS: connected ${Math.round(media)} ms after streamCreated`);
  assert.ok(media < limit, `connected after ${Math.round(media)} ms`);

  const lines = await b.evaluate(() => trace.lines.filter((l) => l.includes('onIceCandidate') || l.includes(' candidate ')));
  assert.ok(lines.some((l) => l.includes('.local')), `the browser hid its addresses:\n${lines.join('\n')}`);
  assert.deepEqual(s.server.complaints(), []);
  await b.assertTransport(a);
});
