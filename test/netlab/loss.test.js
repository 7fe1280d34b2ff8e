// Five packets in a hundred are lost, in both directions: what is lost is sent again, and the picture goes on.
import assert from 'node:assert/strict';
import { Lab } from '../lib/lab.js';
import { stage } from '../lib/stage.js';
import { until } from '../lib/wait.js';

const play = stage({ chromium: { devices: true }, lab: () => Lab.open('srv', 'one', 'two'), namespace: 'srv' });

play('under 5 % loss RTX is used on both legs and frames go on', async (s) => {
  const session = await s.session();
  const [a, b] = await s.joinAll(session, { namespace: 'one' }, { namespace: 'two' });
  await a.publish({ width: 640, height: 480 });
  await b.seesAndHears(a);
  await s.lab.rules('ip protocol udp numgen random mod 100 < 5 counter drop');
  const before = await b.probe(a);
  let up, down;
  await until('packets are retransmitted on both legs', async () => {
    up = (await a.call('published')).outbound.video;
    down = (await b.stats(a)).inbound.video;
    return up.retransmitted > 5 && down.retransmitted > 5 && down.nacks > 0;
  }, { within: 20_000, last: () => ({ up, down }) });
  await until('frames go on', async () => (await b.probe(a)).frames > before.frames + 30, { within: 10_000 });
  const [{ packets }] = await s.lab.counts();
  assert.ok(packets > 10, 'the bridge did drop');
  await b.seesAndHears(a, { within: 15_000 });
});
