// What the three roles may do, and what everybody is told when a moderator acts.
import assert from 'node:assert/strict';
import { OpenViduRole } from 'openvidu-node-client';
import { stage } from '../lib/stage.js';

const play = stage();
const { MODERATOR, PUBLISHER, SUBSCRIBER } = OpenViduRole;
const denied = 'OPENVIDU_PERMISSION_DENIED';

play('a SUBSCRIBER may not publish, but sees', async (s) => {
  const session = await s.session();
  const [a, b] = await s.joinAll(session, { role: PUBLISHER }, { role: SUBSCRIBER });
  assert.equal(await b.call('role'), SUBSCRIBER);
  assert.equal((await b.refusedToPublish()).name, denied);
  await a.publish();
  await b.seesAndHears(a);
});

play('a PUBLISHER may not act on others', async (s) => {
  const session = await s.session();
  const [a, b] = await s.joinAll(session, { role: PUBLISHER }, { role: PUBLISHER });
  await a.publish();
  await b.sees(a);
  assert.equal((await b.refused('forceDisconnect', a.connection)).name, denied);
  assert.equal((await b.refused('forceUnpublish', a.stream)).name, denied);
  await b.sees(a);
});

play('a MODERATOR unpublishes and disconnects, and all are told why', async (s) => {
  const session = await s.session();
  const [a, m, c] = await s.joinAll(session, { role: PUBLISHER }, { role: MODERATOR }, { role: PUBLISHER });
  await a.publish();
  await Promise.all([m.sees(a), c.sees(a)]);

  await m.call('forceUnpublish', a.stream);
  for (const p of [a, m, c]) assert.equal((await p.event('streamDestroyed')).reason, 'forceUnpublishByUser', p.name);

  await a.publish();
  await c.sees(a);
  await m.call('forceDisconnect', a.connection);
  assert.equal((await a.event('sessionDisconnected')).reason, 'forceDisconnectByUser');
  for (const p of [m, c]) {
    assert.equal((await p.event('connectionDestroyed')).reason, 'forceDisconnectByUser', p.name);
    await p.event('streamDestroyed', (e) => e.stream === a.stream && e.reason === 'forceDisconnectByUser');
  }
});

play('a token works once', async (s) => {
  const session = await s.session();
  const token = await s.token(session);
  const [a, b] = [await s.page(), await s.page()];
  await a.join(token);
  await b.refused('join', token, 1);
});
