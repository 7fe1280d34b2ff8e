// What a publisher does during a call: stop and start again, mute, switch the camera off.
import assert from 'node:assert/strict';
import { stage } from '../lib/stage.js';
import { until } from '../lib/wait.js';

const play = stage();

async function pair(s) {
  const session = await s.session();
  const [a, b] = await s.joinAll(session, {}, {});
  await a.publish();
  await b.seesAndHears(a);
  return [a, b];
}

play('unpublish and publish again', async (s) => {
  const [a, b] = await pair(s);
  const first = a.stream;
  await a.call('unpublish');
  const gone = await b.event('streamDestroyed');
  assert.equal(gone.reason, 'unpublish');
  assert.equal(gone.stream, first);
  await a.publish();
  assert.notEqual(a.stream, first);
  await b.seesAndHears(a);
});

play('camera off is told and seen, and on again', async (s) => {
  const [a, b] = await pair(s);
  await a.call('publishVideo', false);
  const off = await b.event('streamPropertyChanged', (e) => e.changedProperty === 'videoActive');
  assert.equal(off.newValue, false);
  assert.equal(off.reason, 'publishVideo');
  let now;
  await until('the picture is black', async () => {
    now = await b.probe(a);
    return now.picture.luma >= 0 && now.picture.luma < 40;
  }, { last: () => now.picture });
  await b.hears(a);
  await a.call('publishVideo', true);
  await b.event('streamPropertyChanged', (e) => e.changedProperty === 'videoActive' && e.newValue === true);
  await b.sees(a);
});

play('mute is told and heard, and unmute', async (s) => {
  const [a, b] = await pair(s);
  await a.call('publishAudio', false);
  const off = await b.event('streamPropertyChanged', (e) => e.changedProperty === 'audioActive');
  assert.equal(off.newValue, false);
  let now;
  await until('silence', async () => {
    now = await b.probe(a);
    return now.tone.who === -1;
  }, { last: () => now.tone });
  await b.sees(a);
  await a.call('publishAudio', true);
  await b.hears(a);
});

play('a viewer unsubscribes and the others do not notice', async (s) => {
  const session = await s.session();
  const [a, b, c] = await s.joinAll(session, {}, {}, {});
  await a.publish();
  await Promise.all([b.sees(a), c.sees(a)]);
  await b.call('unsubscribe', a.stream);
  await c.sees(a);
  await s.assertNever([a, b, c], 'streamDestroyed', 'connectionDestroyed', 'exception');
});
