// A client that may use nothing but the relay, on a server with a port for TURN over UDP.
import assert from 'node:assert/strict';
import { gcm } from '../lib/participant.js';
import { stage } from '../lib/stage.js';

const play = stage({ chromium: { devices: true }, env: { COTURN_PORT: '0' } });

play('FAQ_07__RelayOverUDP: a relay-only client is in the call, through TURN over UDP on its own port', async (s) => {
  const session = await s.session();
  const a = await s.join(session, { rtcConfiguration: { iceTransportPolicy: 'relay' } });
  const b = await s.join(session);
  await Promise.all([a.publish(), b.publish()]);
  await s.allSeeAndHear();
  for (const stats of [await a.call('published'), await a.stats(b)]) {
    assert.equal(stats.local.type, 'relay');
    assert.equal(stats.local.relayProtocol, 'udp');
    const [, port] = /:(\d+)\?transport=udp$/.exec(stats.local.url) ?? [];
    assert.notEqual(Number(port), s.server.port);
    assert.match(stats.srtp, gcm);
  }
  await b.assertTransport(a); // who may choose takes no detour although one is offered
});
