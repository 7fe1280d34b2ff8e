// Every REST call openvidu-node-client 2.32.2 makes that this release answers, with browsers as witnesses.
import assert from 'node:assert/strict';
import { OpenVidu, OpenViduRole, VideoCodec } from 'openvidu-node-client';
import { stage } from '../lib/stage.js';

const play = stage();

/** The HTTP status node-client reports by rejecting. */
const status = (promise) => promise.then(() => assert.fail('was not refused'), (e) => Number(e.message));

play('sessions: create, take again, fetch, list, close', async (s) => {
  const name = 'lobby-1';
  const session = await s.session({ customSessionId: name, forcedVideoCodec: VideoCodec.VP9, allowTranscoding: true });
  assert.equal(session.sessionId, name);
  assert.equal((await s.session({ customSessionId: name })).sessionId, name, '409 is a session that exists');
  assert.equal(session.properties.forcedVideoCodec, VideoCodec.VP9);
  await session.fetch(); // the first one reorders the client's own copy, which it takes for a change
  assert.equal(await session.fetch(), false, 'nothing has changed');

  const other = await s.session();
  const watcher = s.server.client();
  assert.equal(await watcher.fetch(), true);
  const listed = watcher.activeSessions.map((x) => x.sessionId);
  assert.ok(listed.includes(name) && listed.includes(other.sessionId), listed.join());
  assert.equal(watcher.activeSessions.find((x) => x.sessionId === name).properties.allowTranscoding, true);

  await session.close();
  await watcher.fetch();
  assert.ok(!watcher.activeSessions.some((x) => x.sessionId === name));
  assert.equal(await status(session.close()), 404);
  assert.equal(await status(session.createConnection()), 404);
});

play('connections: create with every property, fetch, update, delete', async (s) => {
  const session = await s.session();
  const made = await session.createConnection({
    role: OpenViduRole.MODERATOR, data: 'from the app', record: false,
    kurentoOptions: { videoMaxRecvBandwidth: 500, videoMaxSendBandwidth: 400, allowedFilters: [] },
  });
  assert.equal(made.status, 'pending');
  assert.equal(made.role, OpenViduRole.MODERATOR);
  assert.equal(made.serverData, 'from the app');
  assert.equal(made.connectionProperties.record, false);
  assert.equal(made.connectionProperties.kurentoOptions.videoMaxRecvBandwidth, 500);
  assert.match(made.token, new RegExp(`^wss://[^/?]+\\?sessionId=${session.sessionId}&token=tok_[A-Z][A-Za-z0-9]{15}(&|$)`));

  const updated = await session.updateConnection(made.connectionId, { role: OpenViduRole.SUBSCRIBER });
  assert.equal(updated.connectionProperties.role, OpenViduRole.SUBSCRIBER); // its own "role" the client never updates
  await session.fetch();
  assert.deepEqual(session.connections.map((c) => [c.connectionId, c.connectionProperties.role]), [[made.connectionId, OpenViduRole.SUBSCRIBER]]);
  assert.deepEqual(session.activeConnections, []);

  await session.forceDisconnect(made);
  assert.equal(await status(session.forceDisconnect(made.connectionId)), 404);
  assert.equal(await session.fetch(), false);
  assert.deepEqual(session.connections, []);
});

play('a token by the deprecated call joins', async (s) => {
  const session = await s.session();
  const a = await s.page();
  await a.join(await session.generateToken({ role: OpenViduRole.SUBSCRIBER, data: 'old app' }));
  assert.equal(await a.call('role'), OpenViduRole.SUBSCRIBER);
  await session.fetch();
  const [active] = session.activeConnections;
  assert.equal(active.connectionId, a.connection);
  assert.equal(active.serverData, 'old app');
  assert.deepEqual(JSON.parse(active.clientData), { who: 0 });
  assert.match(active.platform, /Chrome/);
});

play('a changed role is told and obeyed', async (s) => {
  const session = await s.session();
  const a = await s.join(session, { role: OpenViduRole.SUBSCRIBER });
  assert.equal((await a.refusedToPublish()).name, 'OPENVIDU_PERMISSION_DENIED');
  await session.updateConnection(a.connection, { role: OpenViduRole.PUBLISHER });
  const told = await a.event('connectionPropertyChanged');
  assert.equal(told.changedProperty, 'role');
  assert.equal(told.newValue, OpenViduRole.PUBLISHER);
  await a.publish();
});

play('a signal reaches those it is addressed to', async (s) => {
  const session = await s.session();
  const [a, b] = await s.joinAll(session, {}, {});
  await a.call('signal', { type: 'chat', data: 'from a' });
  for (const p of [a, b]) assert.equal((await p.event('signal', (e) => e.connection === a.connection)).data, 'from a');

  const post = (body) => s.server.request('POST', '/openvidu/api/signal', { session: session.sessionId, ...body });
  assert.equal((await post({ to: [b.connection], type: 'signal:app', data: 'for b' })).status, 200);
  assert.equal((await b.event('signal', (e) => e.data === 'for b')).connection, undefined, 'a server signal has no sender');
  assert.equal((await post({ to: ['con_nobody'], data: 'lost' })).status, 406);
  assert.equal((await post({ data: 'for all' })).status, 200);
  await a.event('signal', (e) => e.data === 'for all');
  assert.ok(!(await a.events('signal')).some((e) => e.data === 'for b'));
});

play('publishers and subscribers are shown; forced ends have their reasons', async (s) => {
  const session = await s.session();
  const [a, b] = await s.joinAll(session, {}, {});
  await a.publish();
  await b.sees(a);
  await session.fetch();
  const of = (p) => session.activeConnections.find((c) => c.connectionId === p.connection);
  assert.deepEqual(of(a).publishers.map((p) => [p.streamId, p.typeOfVideo, p.hasAudio]), [[a.stream, 'CUSTOM', true]]);
  assert.deepEqual(of(b).subscribers, [a.stream]);

  await session.forceUnpublish(of(a).publishers[0]);
  for (const p of [a, b]) assert.equal((await p.event('streamDestroyed')).reason, 'forceUnpublishByServer');
  assert.deepEqual(of(a).publishers, [], 'node-client keeps its copy in step');

  await session.forceDisconnect(b.connection);
  assert.equal((await b.event('sessionDisconnected')).reason, 'forceDisconnectByServer');
  assert.equal((await a.event('connectionDestroyed')).reason, 'forceDisconnectByServer');

  await session.close();
  assert.equal((await a.event('sessionDisconnected')).reason, 'sessionClosedByServer');
});

play('a wrong secret is refused, and the config is open to the right one', async (s) => {
  assert.equal(await status(new OpenVidu(s.server.url, 'wrong').createSession()), 401);
  const config = await (await s.server.get('/openvidu/api/config')).json();
  assert.equal(config.HTTPS_PORT, s.server.port);
  assert.equal(JSON.stringify(config).includes(s.server.secret), false);
  assert.match(await (await s.server.get('/openvidu/api/config/openvidu-publicurl')).text(), /^https:\/\/.*\/$/);
});
