// The process ends under a call and is started again on the same data: the application is told nothing.
import assert from 'node:assert/strict';
import { stage } from '../lib/stage.js';

const play = stage();

for (const signal of ['SIGKILL', 'SIGTERM']) {
  play(`a call goes on after ${signal} and a start`, async (s) => {
    const session = await s.session();
    const [a, b] = await s.joinAll(session, {}, {});
    await Promise.all([a.publish(), b.publish()]);
    await s.allSeeAndHear();
    const known = await view(s, session);

    await s.server.stop(signal);
    const began = performance.now();
    await s.server.start();
    const left = () => Math.max(1000, 15_000 - (performance.now() - began));
    for (const p of [a, b]) await p.event('reconnected', undefined, { within: left() });
    await Promise.all([a.sees(b, { within: left() }), b.sees(a, { within: left() })]);
    console.log(`${signal}: both decode ${Math.round(performance.now() - began)} ms after the start`);

    await s.allSeeAndHear();
    assert.deepEqual(await view(s, session), known);
    await s.assertNever([a, b], 'sessionDisconnected', 'streamDestroyed', 'connectionDestroyed');
  }, { timeout: 90_000 });
}

play('Ctrl-C ends the call for everybody, with its reason', async (s) => {
  const session = await s.session();
  const [a, b] = await s.joinAll(session, {}, {});
  await a.publish();
  await b.sees(a);
  await s.server.stop('SIGINT');
  for (const p of [a, b]) assert.equal((await p.event('sessionDisconnected')).reason, 'openviduServerStopped');
  await s.server.start();
  assert.equal((await s.server.get(`/openvidu/api/sessions/${session.sessionId}`)).status, 404);
});

// Releases from 2.20 on ask for the life of the server when they cannot go on: a client that was away for too long hears
// networkDisconnect (reasons.test.js), these nodeCrashed, which is what applications join again for.
play('a server that has lost its store has crashed, as clients see it', async (s) => {
  const session = await s.session();
  const people = [];
  for (const sdk of ['2.32.2', '2.20.0']) people.push(await s.join(session, { sdk }));
  await s.server.stop('SIGKILL');
  await s.server.loseStore();
  await s.server.start();
  for (const p of people) assert.equal((await p.event('sessionDisconnected', undefined, { within: 20_000 })).reason, 'nodeCrashed', p.name);
});

/** The ids REST shows of a session. */
async function view(s, session) {
  const found = await (await s.server.get(`/openvidu/api/sessions/${session.sessionId}`)).json();
  return found.connections.content.map((c) => ({
    connection: c.id, publishes: c.publishers.map((p) => p.streamId), subscribes: c.subscribers.map((x) => x.streamId).sort(),
  })).sort((x, y) => x.connection.localeCompare(y.connection));
}
