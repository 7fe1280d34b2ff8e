// Why something ended, as the clients tell their application: every cause, for the newest release and for 2.11.0, each
// watched by both. And how a client comes and goes without saying so: pages, tabs, sockets.
import assert from 'node:assert/strict';
import { describe } from 'node:test';
import { OpenViduRole } from 'openvidu-node-client';
import { Participant } from '../lib/participant.js';
import { startProxy } from '../lib/proxy.js';
import { stage } from '../lib/stage.js';
import { until } from '../lib/wait.js';

const play = stage({ chromium: { devices: true } });
const releases = ['2.32.2', '2.11.0'];

/** What ends, and the reason all are told, the actor as well unless it is gone. */
const causes = [
  { name: 'leave', ends: 'connection', reason: 'disconnect', act: ({ actor }) => actor.call('leave') },
  { name: 'unpublish', ends: 'stream', reason: 'unpublish', act: ({ actor }) => actor.call('unpublish') },
  { name: 'a moderator unpublishes', ends: 'stream', reason: 'forceUnpublishByUser', act: ({ actor, moderator }) => moderator.call('forceUnpublish', actor.stream) },
  { name: 'the application unpublishes', ends: 'stream', reason: 'forceUnpublishByServer', act: async ({ actor, session }) => session.forceUnpublish(actor.stream) },
  { name: 'a moderator disconnects', ends: 'connection', reason: 'forceDisconnectByUser', act: ({ actor, moderator }) => moderator.call('forceDisconnect', actor.connection) },
  { name: 'the application disconnects', ends: 'connection', reason: 'forceDisconnectByServer', act: ({ actor, session }) => session.forceDisconnect(actor.connection) },
  {
    name: 'the page goes elsewhere, and says so as the tutorials do', ends: 'connection', reason: 'disconnect', gone: true,
    async act({ actor }) {
      await actor.evaluate(() => addEventListener('beforeunload', () => window.tester.leave()));
      await actor.page.goto('about:blank');
    },
  },
];

for (const sdk of releases) {
  play(`LOSS_11__${sdk} and all who watch it are told why it ended`, async (s) => {
    const session = await s.session();
    const watchers = [];
    for (const watching of releases) watchers.push(await s.join(session, { sdk: watching, role: OpenViduRole.MODERATOR }));
    for (const { name, ends, reason, gone, act } of causes) {
      const actor = await s.join(session, { sdk, role: OpenViduRole.PUBLISHER });
      await actor.publish({ fps: 5 });
      for (const w of watchers) await w.sees(actor);
      await act({ actor, session, moderator: watchers[0] });
      for (const w of watchers) {
        const what = `${w.name}: ${name}`;
        assert.equal((await w.event('streamDestroyed', (e) => e.stream === actor.stream)).reason, reason, what);
        if (ends === 'connection') assert.equal((await w.event('connectionDestroyed', (e) => e.connection === actor.connection)).reason, reason, what);
      }
      if (gone) continue;
      assert.equal((await actor.event('streamDestroyed', (e) => e.stream === actor.stream)).reason, reason, `${actor.name}: ${name}`);
      if (ends === 'connection') assert.equal((await actor.event('sessionDisconnected')).reason, reason, `${actor.name}: ${name}`);
      else await actor.call('leave');
    }
    await watchers[1].publish({ fps: 5 });
    await session.close();
    for (const w of watchers) assert.equal((await w.event('sessionDisconnected')).reason, 'sessionClosedByServer', w.name);
    assert.equal((await watchers[1].event('streamDestroyed', (e) => e.stream === watchers[1].stream)).reason, 'sessionClosedByServer');
    await s.assertNever(watchers, 'exception');
  }, { timeout: 90_000 });
}

// These mostly wait for the grace time.
describe('away', { concurrency: 2 }, () => {
  play('LOSS_11__a client whose network is gone is told of as networkDisconnect', async (s) => {
    const session = await s.session();
    const watcher = await s.join(session);
    const lost = [];
    for (const sdk of releases) {
      const proxy = s.closing(await startProxy(s.server.port));
      const person = await s.join(session, { sdk, proxy });
      await person.publish({ fps: 5 });
      await watcher.sees(person);
      lost.push({ person, proxy });
    }
    for (const { proxy } of lost) proxy.cut();
    for (const { person } of lost) {
      assert.equal((await watcher.event('connectionDestroyed', (e) => e.connection === person.connection, { within: 25_000 })).reason, 'networkDisconnect', person.name);
      assert.equal((await watcher.event('streamDestroyed', (e) => e.stream === person.stream)).reason, 'networkDisconnect', person.name);
    }
    for (const { proxy } of lost) proxy.mend();
    for (const { person } of lost) assert.equal((await person.event('sessionDisconnected', undefined, { within: 20_000 })).reason, 'networkDisconnect', person.name);
  }, { timeout: 90_000 });

  play('two tabs of one browser are two participants; the copy of a tab is refused', async (s) => {
    const session = await s.session();
    const [a, b] = [await s.join(session), await s.join(session)];
    const page = await a.page.context().newPage();
    const twin = new Participant(2, { page, close: () => page.close() }, 'C (second tab of A)');
    await page.goto(a.page.url());
    await twin.join(await s.token(session));
    for (const p of [a, b, twin]) await p.publish({ fps: 5 });
    await s.allSeeAndHear([a, b, twin]);

    const again = new Participant(3, { page: await a.page.context().newPage(), close: () => {} }, 'D (copy of a tab)');
    await again.page.goto(a.page.url());
    await again.refused('join', a.token, 3); // a tab that was duplicated has the token of the first

    await page.close(); // no release says goodbye: the grace time passes
    assert.equal((await b.event('connectionDestroyed', (e) => e.connection === twin.connection, { within: 25_000 })).reason, 'networkDisconnect');
    await b.seesAndHears(a);
    assert.equal((await b.events('connectionDestroyed')).length, 1);
  }, { timeout: 90_000 });

  for (const sdk of releases) {
    play(`a socket of ${sdk} that flaps is seen by nobody`, async (s) => {
      const proxy = s.closing(await startProxy(s.server.port));
      const session = await s.session();
      const [a, b] = [await s.join(session, { sdk, proxy }), await s.join(session)];
      await Promise.all([a.publish({ fps: 5 }), b.publish({ fps: 5 })]);
      await s.allSeeAndHear();
      const cuts = () => a.evaluate(() => trace.lines.filter((l) => l.includes('ws close')).length);
      for (let i = 1; i <= 3; i++) {
        const before = await cuts();
        proxy.cut();
        await until('the page notices', async () => await cuts() > before);
        await b.call('signal', { type: 'chat', data: `cut ${i}` });
        proxy.mend();
        await a.event('signal', (e) => e.data === `cut ${i}`);
      }
      assert.equal((await a.events('signal')).length, 3, 'each signal once');
      await s.allSeeAndHear();
      await s.assertNever([a, b], 'sessionDisconnected', 'connectionDestroyed', 'streamDestroyed', 'exception');
    }, { timeout: 90_000 });
  }
});

for (const generation of releases) {
  play(`LOSS_10__subscribers of ${generation} are filled`, async (s) => {
    const session = await s.session();
    const [a, b] = await s.joinAll(session, { sdk: generation }, { sdk: generation });
    await Promise.all([a.publish({ fps: 5 }), b.publish({ fps: 5 })]);
    await s.allSeeAndHear();
    await session.fetch();
    const shown = Object.fromEntries(session.activeConnections.map((c) => [c.connectionId, c.subscribers]));
    assert.deepEqual(shown, { [a.connection]: [b.stream], [b.connection]: [a.stream] });
    const { content } = await (await s.server.get(`/openvidu/api/sessions/${session.sessionId}/connection`)).json();
    for (const [p, other] of [[a, b], [b, a]]) {
      const [subscriber, ...more] = content.find((c) => c.id === p.connection).subscribers;
      assert.equal(subscriber.streamId, other.stream);
      assert.ok(subscriber.createdAt > 0);
      assert.deepEqual(more, []);
    }
    await b.call('unsubscribe', a.stream);
    await until('REST knows of it', async () => {
      await session.fetch();
      return session.activeConnections.find((c) => c.connectionId === b.connection).subscribers.length === 0;
    });
  });
}
