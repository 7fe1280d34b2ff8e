// A client that may use nothing but the relay.
import assert from 'node:assert/strict';
import { gcm } from '../lib/participant.js';
import { stage } from '../lib/stage.js';

const play = stage({ chromium: { devices: true } });

play('a relay-only client is in the call, through our own TURN over TCP', async (s) => {
  const session = await s.session();
  const a = await s.join(session, { rtcConfiguration: { iceTransportPolicy: 'relay' } });
  const b = await s.join(session);
  await Promise.all([a.publish(), b.publish()]);
  await s.allSeeAndHear();
  for (const stats of [await a.call('published'), await a.stats(b)]) {
    assert.equal(stats.local.type, 'relay');
    assert.match(stats.local.relayProtocol, /^(tcp|tls)$/);
    assert.match(stats.local.url, new RegExp(`:${s.server.port}\\?transport=tcp$`));
    assert.match(stats.srtp, gcm);
  }
  await b.assertTransport(a); // the other one takes no detour
});
