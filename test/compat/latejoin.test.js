// A late joiner is given a keyframe at once: it does not wait for the publisher's next one.
import assert from 'node:assert/strict';
import { stage } from '../lib/stage.js';

const play = stage();
const limit = 1000; // ms; the promise is 500 on a quiet machine, the browsers of this test are not quiet

play('late joiners decode soon after their transport is up', async (s) => {
  const session = await s.session();
  const publisher = await s.join(session);
  await publisher.publish();
  const waits = [];
  for (let i = 0; i < 3; i++) {
    const viewer = await s.join(session);
    await viewer.sees(publisher);
    const { media, firstFrame } = await viewer.call('times', publisher.stream);
    waits.push(Math.round(firstFrame - media));
    await viewer.call('leave');
  }
  console.log(`late join: first frame ${waits.join(', ')} ms after connected`);
  const median = waits.toSorted((x, y) => x - y)[1];
  assert.ok(median < limit, `median ${median} ms of ${waits}`);
});
