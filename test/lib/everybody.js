// Many releases of openvidu-browser in one session, and what each must manage with every other.
import assert from 'node:assert/strict';
import { until } from './wait.js';

/** Where a 1.x page joins without a server side: the session's URL with the secret in it. */
export const insecure = (server, session) => ({ session: `${server.url.replace(/^https/, 'wss').replace(/\/$/, '')}/${session}?secret=${server.secret}`, token: null });

/** Waits until one's camera is black and silent for a viewer, though it goes on sending. */
async function muted(viewer, other, within) {
  let now;
  await until(`${viewer.name} neither sees nor hears ${other.name}`, async () => {
    now = await viewer.probe(other);
    return now.picture.luma >= 0 && now.picture.luma < 40 && now.tone.who === -1;
  }, { within, last: () => [now.picture, now.tone] });
}

/**
 * A page of each release joins, publishes, sees and hears all others, signals to all, mutes, unmutes and leaves.
 * within, in ms, bounds each of these steps for all pages together.
 */
export async function callOf(s, releases, { within = 20_000 } = {}) {
  const session = await s.session();
  const people = [];
  for (const sdk of releases) {
    const person = await s.page({ sdk });
    await person.join(sdk.startsWith('1.') ? insecure(s.server, session.sessionId) : await s.token(session));
    await person.publish({ fps: 6 });
    people.push(person);
  }
  await s.allSeeAndHear(people, { within });

  for (const p of people) await p.call('signal', { type: 'chat', data: `from ${p.number}` });
  for (const p of people) {
    for (const from of people) await p.event('signal', (e) => e.data === `from ${from.number}` && e.connection === from.connection);
  }

  const watched = people.map((p, i) => [people[(i + 1) % people.length], p]);
  for (const p of people) await Promise.all([p.call('publishVideo', false), p.call('publishAudio', false)]);
  await Promise.all(watched.map(([viewer, p]) => muted(viewer, p, within)));
  for (const p of people) await Promise.all([p.call('publishVideo', true), p.call('publishAudio', true)]);
  await Promise.all(watched.map(([viewer, p]) => viewer.seesAndHears(p, { within })));

  for (const [i, p] of people.entries()) {
    await p.call('leave');
    const rest = people.slice(i + 1);
    for (const o of rest) {
      await o.event('connectionDestroyed', (e) => e.connection === p.connection);
      await o.event('streamDestroyed', (e) => e.stream === p.stream);
    }
    for (const o of rest.slice(0, 1)) assert.ok(!(await o.call('streams')).includes(p.stream));
  }
  await until('the session has ended with its last participant', async () => !(await s.client.fetch(), s.client.activeSessions.some((x) => x.sessionId === session.sessionId)));
  const complaints = s.server.complaints().filter((line) => !line.includes('SECRET_IN_BROWSER')); // 1.x without a server side: rightly
  assert.deepEqual(complaints, []);
}
