// UDP is blocked for one client: it is in the call over ICE-TCP on the one port, and without that over TURN/TCP.
import assert from 'node:assert/strict';
import { Lab } from '../lib/lab.js';
import { gcm } from '../lib/participant.js';
import { stage } from '../lib/stage.js';
import { until } from '../lib/wait.js';

const play = stage({ chromium: { devices: true }, lab: () => Lab.open('srv', 'walled', 'free'), namespace: 'srv' });
const noUDP = (s) => s.lab.rules(
  `ip saddr ${s.lab.address('walled')} ip protocol udp drop`, `ip daddr ${s.lab.address('walled')} ip protocol udp drop`);

async function call(s, options) {
  const session = await s.session();
  const [a, b] = [await s.page({ namespace: 'walled' }), await s.page({ namespace: 'free' })];
  if (options.noRelay) await a.evaluate(() => { trace.rtc.iceServers = []; });
  await a.join(await s.token(session), { rtcConfiguration: options.rtcConfiguration });
  await b.join(await s.token(session));
  await Promise.all([a.publish(), b.publish()]);
  await s.allSeeAndHear(undefined, { within: 20_000 });
  await b.assertTransport(a);
  return [await a.stats(b), await a.call('published'), a];
}

play('without UDP and without a relay, the call runs over ICE-TCP', async (s) => {
  await noUDP(s);
  const [receiving, sending, a] = await call(s, { noRelay: true });
  for (const stats of [receiving, sending]) {
    assert.equal(stats.local.protocol, 'tcp', JSON.stringify(stats.local));
    assert.deepEqual([stats.remote.type, stats.remote.protocol, stats.remote.port], ['host', 'tcp', s.server.port]);
    assert.match(stats.srtp, gcm);
  }
  assert.equal(receiving.dtls, 'client', a.name);
});

play('without UDP and with everything offered, the call runs over TCP', async (s) => {
  await noUDP(s);
  for (const stats of (await call(s, {})).slice(0, 2)) {
    assert.ok(stats.local.protocol === 'tcp' || /^(tcp|tls)$/.test(stats.local.relayProtocol), JSON.stringify(stats.local));
  }
});

play('FAQ_07c__RelayedMediaCrossesOneNode', async (s) => {
  await noUDP(s);
  const [walled, srv] = [s.lab.address('walled'), s.lab.address('srv')];
  const looped = await s.lab.received('srv', 'lo');
  const [receiving, sending] = await call(s, { rtcConfiguration: { iceTransportPolicy: 'relay' } });
  for (const stats of [receiving, sending]) {
    assert.equal(stats.local.type, 'relay');
    assert.equal(stats.remote.address, srv, 'the media endpoint is on the node that relays');
  }
  // From here on everything that crosses the bridge is counted: the client speaks to that node and to nobody else, and
  // the node hands the packets to itself in memory, through no socket.
  await s.lab.rules(
    `ip saddr ${walled} ip daddr ${srv} counter accept`, `ip daddr 224.0.0.0/4 drop`, `ip saddr ${walled} counter drop`, `ip saddr ${srv} ip protocol udp ip daddr ${srv} counter`);
  await s.allSeeAndHear();
  const [toNode, elsewhere, toItself] = await until('media crosses the bridge', async () => {
    const counts = await s.lab.counts();
    return counts[0].bytes > 10_000 && counts;
  });
  assert.equal(elsewhere.packets, 0);
  assert.equal(toItself.packets, 0);
  const throughLoopback = await s.lab.received('srv', 'lo') - looped;
  assert.ok(throughLoopback < toNode.bytes / 2, `${throughLoopback} bytes looped for ${toNode.bytes} relayed`);
});
