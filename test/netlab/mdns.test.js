// Clients that hide their addresses behind mDNS names, as every visitor without camera permission does (promise KMS-20,
// with a namespace bridge for Docker's).
import assert from 'node:assert/strict';
import { Lab } from '../lib/lab.js';
import { stage } from '../lib/stage.js';

const play = stage({ lab: () => Lab.open('srv', 'one', 'two'), namespace: 'srv' });
const limit = 2000; // ms

const candidates = () => trace.lines.filter((l) => l.includes(' candidate '));

/**
 * A visitor whose browser offers a hidden address. Chromium, asked before it knows its default route, now and then offers
 * none at all: then there is nothing to test, and the visitor comes again.
 */
async function hiddenVisitor(s, session, a) {
  for (let visit = 0; visit < 3; visit++) {
    const b = await s.join(session, { namespace: 'two' });
    await b.seesAndHears(a);
    const lines = await b.evaluate(candidates);
    assert.ok(lines.every((l) => !l.includes('typ host') || l.includes('.local')), `an address is not hidden:\n${lines.join('\n')}`);
    if (lines.some((l) => l.includes('.local'))) return b;
    await b.call('leave');
  }
  throw new Error('in three visits Chromium offered no hidden address');
}

play('KMS_20__HiddenAddressesConnectSoonAndSilently', async (s) => {
  const session = await s.session();
  const a = await s.join(session, { namespace: 'one' });
  await a.publish();
  const b = await hiddenVisitor(s, session, a);
  const { media } = await b.call('times', a.stream);
  console.log(`mDNS: connected ${Math.round(media)} ms after streamCreated`);
  assert.ok(media < limit, `connected after ${Math.round(media)} ms`);
  assert.deepEqual(s.server.complaints(), []);
  await b.assertTransport(a);
});
