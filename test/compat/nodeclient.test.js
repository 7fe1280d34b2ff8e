// Every call that openvidu-node-client makes, of three releases, with browsers as witnesses.
import assert from 'node:assert/strict';
import { createRequire } from 'node:module';
import { OpenVidu, OpenViduRole, VideoCodec } from 'openvidu-node-client';
import { stage } from '../lib/stage.js';

const play = stage({ chromium: { devices: true } });
const require = createRequire(import.meta.url);

/** What a release lacks is not asked of it. data: 2.16.0 looks for the server's data where no server put it. */
const releases = [
  { release: '2.32.2', api: require('openvidu-node-client'), connections: true, codecs: true, data: true },
  { release: '2.16.0', api: require('openvidu-node-client-2.16'), connections: true, codecs: false, data: false },
  { release: '2.4.0', api: require('openvidu-node-client-2.4'), connections: false, codecs: false, data: true },
];

// The older two print every answer.
console.log = () => {};

/** The HTTP status node-client reports by rejecting. */
const status = (promise) => promise.then(() => assert.fail('was not refused'), (e) => Number(e.message));

for (const { release, api, connections, codecs, data } of releases) {
  const client = (s) => new api.OpenVidu(s.server.url, s.server.secret);
  const listed = (ov) => api.OpenVidu.getActiveSessions?.() ?? ov.activeSessions;
  const sessions = (ov) => listed(ov).map((x) => x.sessionId);

  play(`${release}: sessions are created, taken again, fetched, listed, closed`, async (s) => {
    const ov = client(s);
    const name = `lobby-${release.replaceAll('.', '-')}`;
    const wanted = {
      customSessionId: name, mediaMode: api.MediaMode.ROUTED, recordingMode: api.RecordingMode.MANUAL,
      ...(codecs && { forcedVideoCodec: VideoCodec.VP9, allowTranscoding: true }),
    };
    const session = await ov.createSession(wanted);
    assert.equal(session.getSessionId(), name);
    assert.equal((await ov.createSession({ customSessionId: name })).getSessionId(), name, '409 is a session that exists');
    await session.fetch(); // the first one reorders the client's own copy, which it takes for a change
    assert.equal(await session.fetch(), false, 'nothing has changed');
    assert.equal(session.properties.mediaMode, api.MediaMode.ROUTED);
    assert.equal(session.properties.recordingMode, api.RecordingMode.MANUAL);
    assert.equal(session.recording, false);
    if (codecs) assert.deepEqual([session.properties.forcedVideoCodec, session.properties.allowTranscoding], [VideoCodec.VP9, true]);
    if (connections) assert.ok(session.createdAt > 0);

    const other = await ov.createSession();
    const watcher = client(s);
    assert.equal(await watcher.fetch(), true);
    assert.ok(sessions(watcher).includes(name) && sessions(watcher).includes(other.getSessionId()), sessions(watcher).join());
    await watcher.fetch(); // 2.4 puts a default of its own into its first copy
    assert.equal(await watcher.fetch(), false);

    await session.close();
    await watcher.fetch();
    assert.ok(!sessions(watcher).includes(name));
    assert.equal(await status(session.close()), 404);
    assert.equal(await status(session.fetch()), 404);
    assert.equal(await status(session.generateToken()), 404);
    await other.close();
  });

  play(`${release}: a token joins`, async (s) => {
    const session = await client(s).createSession();
    const a = await s.page();
    await a.join(await session.generateToken({
      role: api.OpenViduRole.SUBSCRIBER, data: 'old app', kurentoOptions: { videoMaxRecvBandwidth: 500, allowedFilters: [] },
    }));
    assert.equal(await a.call('role'), api.OpenViduRole.SUBSCRIBER);
    assert.equal((await a.refusedToPublish()).name, 'OPENVIDU_PERMISSION_DENIED');
    assert.equal(await session.fetch(), true);
    const [active, ...more] = session.activeConnections;
    assert.equal(active.connectionId, a.connection);
    assert.equal(active.role, api.OpenViduRole.SUBSCRIBER);
    if (data) assert.equal(active.serverData, 'old app');
    assert.deepEqual(JSON.parse(active.clientData), { who: 0 });
    assert.deepEqual(more, []);
    if (connections) assert.match(active.platform, /Chrome/);
  });

  play(`${release}: publishers and subscribers are shown; forced ends, by object and by id, have their reasons`, async (s) => {
    const ov = client(s);
    const session = await ov.createSession();
    const people = [];
    for (let i = 0; i < 3; i++) people.push(await (await s.page()).join(await session.generateToken()));
    const [a, b, c] = people;
    await a.publish();
    await Promise.all([b.sees(a), c.sees(a)]);
    await session.fetch();
    const of = (p) => session.activeConnections.find((x) => x.connectionId === p.connection);
    const [shown, ...more] = of(a).publishers;
    assert.deepEqual([shown.streamId, shown.typeOfVideo, shown.hasAudio, shown.hasVideo, shown.audioActive, shown.videoActive], [a.stream, 'CUSTOM', true, true, true, true]);
    assert.deepEqual(JSON.parse(shown.videoDimensions), { width: 320, height: 240 });
    assert.deepEqual(more, []);
    assert.deepEqual(of(b).subscribers, [a.stream]);
    assert.deepEqual(of(c).subscribers, [a.stream]);
    assert.deepEqual(of(b).publishers, []);

    if (ov.fetchWebRtc) {
      const { changes, sessionChanges } = await ov.fetchWebRtc();
      assert.equal(changes, true);
      assert.equal(typeof sessionChanges[session.sessionId], 'boolean');
      const extended = ov.activeSessions.find((x) => x.sessionId === session.sessionId).activeConnections;
      const media = extended.find((x) => x.connectionId === a.connection).publishers[0].webRtc.kms;
      assert.match(media.localSdp, /^v=0/);
      assert.match(media.remoteSdp, /^v=0/);
      const watched = extended.find((x) => x.connectionId === b.connection).subscribers;
      assert.deepEqual(watched.map((x) => [x.streamId, x.localCandidatePair.transport]), [[a.stream, 'udp']]);
      await session.fetch();
    }

    await session.forceUnpublish(of(a).publishers[0]);
    for (const p of people) assert.equal((await p.event('streamDestroyed', (e) => e.stream === a.stream)).reason, 'forceUnpublishByServer');
    assert.deepEqual(of(a).publishers, [], 'node-client keeps its copy in step');
    assert.deepEqual(of(b).subscribers, []);
    await a.publish();
    await b.sees(a);
    await session.forceUnpublish(a.stream);
    await b.event('streamDestroyed', (e) => e.stream === a.stream && e.reason === 'forceUnpublishByServer');
    assert.equal(await status(session.forceUnpublish(a.stream)), 404);

    await session.forceDisconnect(of(b));
    assert.equal((await b.event('sessionDisconnected')).reason, 'forceDisconnectByServer');
    assert.equal((await a.event('connectionDestroyed', (e) => e.connection === b.connection)).reason, 'forceDisconnectByServer');
    assert.equal(of(b), undefined, 'node-client keeps its copy in step');
    await session.forceDisconnect(c.connection);
    assert.equal((await c.event('sessionDisconnected')).reason, 'forceDisconnectByServer');
    assert.equal(await status(session.forceDisconnect(c.connection)), 404);

    await session.close();
    assert.equal((await a.event('sessionDisconnected')).reason, 'sessionClosedByServer');
  });

  play(`${release}: recording is answered as by a server without it`, async (s) => {
    const ov = client(s);
    const session = await ov.createSession();
    assert.equal(await status(ov.startRecording(session.getSessionId())), 501);
    assert.equal(await status(ov.startRecording(session.getSessionId(), 'named')), 501);
    assert.equal(await status(ov.startRecording(session.getSessionId(), { outputMode: 'INDIVIDUAL', name: 'named' })), 501);
    assert.equal(await status(ov.stopRecording('ses-1')), 501);
    assert.equal(await status(ov.getRecording('ses-1')), 501);
    assert.equal(await status(ov.listRecordings()), 501);
    assert.equal(await status(ov.deleteRecording('ses-1')), 501);
  });

  play(`${release}: a wrong secret is refused`, async (s) => {
    assert.equal(await status(new api.OpenVidu(s.server.url, 'wrong').createSession()), 401);
  });

  if (connections) {
    play(`${release}: a connection is created with every property, fetched, updated, deleted`, async (s) => {
      const session = await client(s).createSession();
      const made = await session.createConnection({
        role: api.OpenViduRole.MODERATOR, data: 'from the app', record: false,
        kurentoOptions: { videoMaxRecvBandwidth: 500, videoMaxSendBandwidth: 400, allowedFilters: [] },
      });
      assert.equal(made.status, 'pending');
      assert.equal(made.role, api.OpenViduRole.MODERATOR);
      if (data) assert.equal(made.serverData, 'from the app');
      assert.equal(made.connectionProperties.record, false);
      assert.equal(made.connectionProperties.kurentoOptions.videoMaxRecvBandwidth, 500);
      assert.match(made.token, new RegExp(`^wss://[^/?]+\\?sessionId=${session.sessionId}&token=tok_[A-Z][A-Za-z0-9]{15}(&|$)`));

      const updated = await session.updateConnection(made.connectionId, { role: api.OpenViduRole.SUBSCRIBER });
      assert.equal(updated.connectionProperties.role, api.OpenViduRole.SUBSCRIBER); // its own "role" the client never updates
      await session.fetch();
      assert.deepEqual(session.connections.map((c) => [c.connectionId, c.connectionProperties.role]), [[made.connectionId, api.OpenViduRole.SUBSCRIBER]]);
      assert.deepEqual(session.activeConnections, []);

      await session.forceDisconnect(made);
      assert.equal(await status(session.forceDisconnect(made.connectionId)), 404);
      await session.fetch();
      assert.deepEqual(session.connections, []);
      await session.close();
      assert.equal(await status(session.createConnection()), 404);
    });
  }
}

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

play('a wrong secret is refused, and the config is open to the right one', async (s) => {
  assert.equal(await status(new OpenVidu(s.server.url, 'wrong').createSession()), 401);
  const config = await (await s.server.get('/openvidu/api/config')).json();
  assert.equal(config.HTTPS_PORT, s.server.port);
  assert.equal(JSON.stringify(config).includes(s.server.secret), false);
  assert.match(await (await s.server.get('/openvidu/api/config/openvidu-publicurl')).text(), /^https:\/\/.*\/$/);
});
