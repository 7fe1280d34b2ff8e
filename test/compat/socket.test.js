// The websocket is cut while media flows: 5 s unseen by anybody, 20 s an eviction.
import assert from 'node:assert/strict';
import { describe } from 'node:test';
import { startProxy } from '../lib/proxy.js';
import { stage } from '../lib/stage.js';
import { pause } from '../lib/wait.js';

const play = stage();

async function cuttable(s) {
  const proxy = s.closing(await startProxy(s.server.port));
  const session = await s.session();
  const [a, b] = [await s.join(session, { proxy }), await s.join(session)];
  await Promise.all([a.publish(), b.publish()]);
  await s.allSeeAndHear();
  return { proxy, session, a, b };
}

// These mostly wait.
describe('cuts', { concurrency: 2 }, () => {
  play('a socket cut for 5 s is resumed unseen, and what happened meanwhile is told afterwards', async (s) => {
    const { proxy, session, a, b } = await cuttable(s);
    await Promise.all([a.call('gap', b.stream), b.call('gap', a.stream)]);
    proxy.cut();
    await a.event('reconnecting');
    await b.call('signal', { type: 'meanwhile', data: 'hello' });
    await pause(5000); // the cut itself
    proxy.mend();
    await a.event('reconnected', undefined, { within: 8000 });
    assert.equal((await a.event('signal')).data, 'hello');

    for (const [viewer, other] of [[a, b], [b, a]]) {
      const gap = await viewer.call('gap', other.stream);
      assert.ok(gap < 1500, `${viewer.name} saw nothing for ${Math.round(gap)} ms`);
      await viewer.seesAndHears(other);
    }
    await s.assertNever([a, b], 'sessionDisconnected', 'connectionDestroyed', 'streamDestroyed', 'exception');
    await session.fetch();
    assert.deepEqual(session.activeConnections.map((c) => c.connectionId).sort(), [a.connection, b.connection].sort());
  });

  play('a socket cut for 20 s is an eviction the others are told of', async (s) => {
    const { proxy, session, a, b } = await cuttable(s);
    proxy.cut();
    await a.event('reconnecting');
    const began = performance.now();
    assert.equal((await b.event('connectionDestroyed', undefined, { within: 18_000 })).reason, 'networkDisconnect');
    const grace = performance.now() - began;
    assert.ok(grace > 8000 && grace < 16_000, `told after ${Math.round(grace)} ms; the grace time is 10 s`);
    await b.event('streamDestroyed', (e) => e.stream === a.stream && e.reason === 'networkDisconnect');
    await pause(Math.max(0, 20_000 - grace)); // the cut itself
    proxy.mend();
    assert.equal((await a.event('sessionDisconnected', undefined, { within: 10_000 })).reason, 'networkDisconnect');
    await session.fetch();
    assert.deepEqual(session.activeConnections.map((c) => c.connectionId), [b.connection]);
  }, { timeout: 90_000 });
});
