// long: Chromium gives UDP up after half a minute.
// UDP is blocked when a client joins, and opens when its browser has given it up for good: it moves to UDP all the same,
// because the server shows it the same candidates under other names from time to time.
import assert from 'node:assert/strict';
import { Lab } from '../lib/lab.js';
import { stage } from '../lib/stage.js';
import { pause, until } from '../lib/wait.js';

const play = stage({ chromium: { devices: true }, lab: () => Lab.open('srv', 'walled', 'free'), namespace: 'srv' });
const quiet = 12_000; // ms without a packet: the browser has given up

play('a client that joined over TCP moves to UDP when that opens', async (s) => {
  const walled = s.lab.address('walled');
  await s.lab.rules(`ip saddr ${walled} udp dport ${s.server.port} counter drop`, `ip daddr ${walled} ip protocol udp drop`);
  const session = await s.session();
  const [a, b] = [await s.page({ namespace: 'walled' }), await s.page({ namespace: 'free' })];
  await a.evaluate(() => { trace.rtc.iceServers = []; });
  await a.join(await s.token(session));
  await b.join(await s.token(session));
  await Promise.all([a.publish(), b.publish()]);
  await s.allSeeAndHear(undefined, { within: 20_000 });
  for (const other of [b, undefined]) await a.assertTransport(other, { protocol: 'tcp' });

  await until('the browser tries UDP no more', async () => {
    const [before] = await s.lab.counts();
    await pause(quiet);
    const [after] = await s.lab.counts();
    return before.packets > 0 && after.packets === before.packets;
  }, { within: 90_000 });
  await s.lab.clear();
  const moved = async () => [await a.stats(b), await a.call('published')].every((stats) => stats.local.protocol === 'udp');
  assert.equal(await moved(), false);
  await until('both directions are on UDP', moved, { within: 150_000, every: 1000 });
  await s.allSeeAndHear();
}, { timeout: 300_000 });
