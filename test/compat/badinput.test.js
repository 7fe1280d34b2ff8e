// Bad input of every kind while a call goes on: refused or dropped, and the call does not notice.
import assert from 'node:assert/strict';
import { randomBytes } from 'node:crypto';
import dgram from 'node:dgram';
import net from 'node:net';
import { openRaw } from '../lib/raw.js';
import { stage } from '../lib/stage.js';

const play = stage();

/** Runs misdeeds beside a call of two and asserts that nobody in it was harmed. */
async function beside(s, misdeeds) {
  const session = await s.session();
  const [a, b] = await s.joinAll(session, {}, {});
  await Promise.all([a.publish(), b.publish()]);
  await s.allSeeAndHear();
  await b.call('gap', a.stream);

  await misdeeds(session, a);

  const gap = await b.call('gap', a.stream);
  assert.ok(gap < 1500, `the picture stood still for ${Math.round(gap)} ms`);
  await s.allSeeAndHear();
  await s.assertNever([a, b], 'sessionDisconnected', 'streamDestroyed', 'exception');
  assert.ok(await s.server.healthy());
  assert.ok(!/panic|goroutine \d+ \[/.test(s.server.log), s.server.log);
}

const raw = async (s, session) => s.closing(await openRaw(s.server, session.sessionId));
const code = (answer) => {
  assert.equal(typeof answer.error?.code, 'number', JSON.stringify(answer));
  return answer.error.code;
};

play('websocket frames that no client sends', (s) => beside(s, async (session) => {
  const stranger = await raw(s, session);
  assert.equal(code(await stranger.request('publishVideo', { sdpOffer: 'v=0' })), 803);
  assert.equal(code(await stranger.request('joinRoom', { token: 'tok_wrong', session: session.sessionId })), 401);
  code(await stranger.request('joinRoom', { token: 7, session: [], platform: {} }));
  code(await stranger.request('noSuchMethod', {}));
  code(await stranger.request('connect', { sessionId: 'nobodys' }));

  for (const text of ['{', '[]', '7', '"x"', '{"jsonrpc":"2.0"}', '{"jsonrpc":"2.0","id":{},"method":3}', '\0']) {
    const one = await raw(s, session);
    one.send(text);
    // Refusing is an answer with an error or a closed socket; silence is allowed only if the next request is answered.
    await Promise.race([one.request('ping', { interval: 5000 }), one.refused()]);
  }
  const large = await raw(s, session);
  large.send(JSON.stringify({ jsonrpc: '2.0', id: 9, method: 'joinRoom', params: { metadata: 'x'.repeat(8 << 20) } }));
  await large.refused();
}));

play('session descriptions that are none', (s) => beside(s, async (session) => {
  const client = await raw(s, session);
  const joined = await client.request('joinRoom', {
    token: await s.token(session), session: session.sessionId, platform: 'raw', sdkVersion: '2.32.2', metadata: '', secret: '', recorder: false,
  });
  assert.equal(joined.error, undefined);
  const publish = (sdpOffer) => client.request('publishVideo', {
    sdpOffer, doLoopback: false, hasAudio: true, hasVideo: true, audioActive: true, videoActive: true,
    typeOfVideo: 'CAMERA', frameRate: 30, videoDimensions: '{"width":640,"height":480}',
  });
  for (const sdp of ['', 'garbage', 'v=0\r\n', `v=0\r\n${'a=x\r\n'.repeat(20_000)}`, 'm=video 9 UDP/TLS/RTP/SAVPF\r\n', 7]) code(await publish(sdp));
  assert.equal(code(await client.request('receiveVideoFrom', { sender: 'str_CAM_none', sdpOffer: 'v=0' })) > 0, true);
  await client.request('onIceCandidate', { endpointName: 'con_none', candidate: 'candidate:x', sdpMid: '0', sdpMLineIndex: 0 });
  await client.request('leaveRoom', {});
}));

play('bytes on the port that are nobody\'s', (s) => beside(s, async () => {
  const host = new URL(s.server.url).hostname;
  const udp = dgram.createSocket('udp4');
  const send = (bytes) => new Promise((done) => { udp.send(bytes, s.server.port, host, done); });
  for (let i = 0; i < 2000; i++) {
    const bytes = randomBytes(1 + (i * 37) % 1400);
    bytes[0] = [0, 1, 3, 20, 22, 23, 63, 127, 128, 144, 191, 255][i % 12]; // STUN, DTLS, RTP and none of them
    if (bytes[0] <= 1 && bytes.length >= 20) bytes.writeUInt32BE(0x2112a442, 4);
    await send(bytes);
  }
  udp.close();

  for (const first of ['', '\x16\x03\x01\xff\xff', 'GET / HTTP/1.1\r\nHost: x\r\n', '\0\x03\0\x08\x21\x12\xa4\x42', '\0\x20xxxxxx']) {
    const tcp = s.closing(net.connect(s.server.port, host));
    tcp.close = () => tcp.destroy();
    tcp.on('error', () => {});
    tcp.write(Buffer.concat([Buffer.from(first, 'latin1'), randomBytes(500)]));
  }
}));
