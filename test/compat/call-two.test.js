// Two pages with the newest SDK: the main job.
import assert from 'node:assert/strict';
import { stage } from '../lib/stage.js';

const play = stage({ chromium: { devices: true } });

play('two pages see and hear each other over UDP, DTLS client, AES-GCM', async (s) => {
  const session = await s.session();
  const [a, b] = await s.joinAll(session, {}, {});
  await Promise.all([a.publish(), b.publish()]);
  await s.allSeeAndHear();

  for (const [viewer, other] of [[a, b], [b, a]]) {
    const { inbound } = await viewer.assertTransport(other);
    assert.equal(inbound.video.codec, 'video/VP8');
    assert.equal(inbound.audio.codec, 'audio/opus');
    await viewer.assertTransport();
  }
});

play('the application is told in the order of the original', async (s) => {
  const session = await s.session();
  const a = await s.join(session);
  await a.publish();
  const b = await s.join(session);
  await b.sees(a);
  await b.call('leave');
  await a.event('connectionDestroyed');

  assert.deepEqual((await a.events()).map((e) => [e.type, e.connection, e.reason].filter(Boolean).join(' ')), [
    `connectionCreated ${a.connection}`,
    `streamCreated ${a.connection}`,
    `connectionCreated ${b.connection}`,
    `connectionDestroyed ${b.connection} disconnect`,
  ]);
  assert.deepEqual((await b.events()).map((e) => [e.type, e.connection, e.reason].filter(Boolean).join(' ')), [
    `connectionCreated ${b.connection}`,
    `connectionCreated ${a.connection}`,
    `streamCreated ${a.connection}`,
    `sessionDisconnected disconnect`,
  ]);
});

play('ids and the server log are in order', async (s) => {
  const session = await s.session();
  const [a, b] = await s.joinAll(session, {}, {});
  await a.publish();
  await b.seesAndHears(a);
  assert.match(session.sessionId, /^ses_[A-Z][A-Za-z0-9]{9}$/);
  assert.match(a.connection, /^con_[A-Z][A-Za-z0-9]{9}$/);
  assert.match(a.stream, /^str_CUS_[A-Z][A-Za-z0-9]{3}_con_[A-Z][A-Za-z0-9]{9}$/);
  assert.deepEqual(s.server.complaints(), []);
});
