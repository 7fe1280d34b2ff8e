// What can be published: sound alone, picture alone, a camera, a screen.
import assert from 'node:assert/strict';
import { stage } from '../lib/stage.js';
import { until } from '../lib/wait.js';

const play = stage({ chromium: { devices: true } });

async function published(s, options) {
  const session = await s.session();
  const [a, b] = await s.joinAll(session, {}, {});
  await a.publish(options);
  await session.fetch();
  return { a, b, shown: session.activeConnections.flatMap((c) => c.publishers)[0] };
}

play('audio only', async (s) => {
  const { a, b, shown } = await published(s, { video: false });
  await b.hears(a);
  assert.equal((await b.stats(a)).inbound.video, undefined);
  assert.deepEqual([shown.hasAudio, shown.hasVideo], [true, false]);
});

play('video only', async (s) => {
  const { a, b, shown } = await published(s, { audio: false });
  await b.sees(a);
  assert.equal((await b.stats(a)).inbound.audio, undefined);
  assert.deepEqual([shown.hasAudio, shown.hasVideo], [false, true]);
});

/** Waits until n more frames of a stream are decoded. */
async function decodes(b, a, n) {
  let now;
  await until(`${n} frames`, async () => {
    now = await b.glimpse(a);
    return now && now.frames > n && now.picture.width > 0;
  }, { within: 15_000, last: () => now });
  return now;
}

play('the camera and the microphone', async (s) => {
  const { a, b, shown } = await published(s, { source: 'camera', width: 640, height: 480, fps: 20 });
  const { picture, stats } = await decodes(b, a, 20);
  assert.equal(picture.width / picture.height, 4 / 3);
  assert.ok(stats.inbound.audio.packets > 0);
  assert.equal(shown.typeOfVideo, 'CAMERA');
});

play('the screen', async (s) => {
  const { a, b, shown } = await published(s, { source: 'screen', audio: false });
  await decodes(b, a, 5);
  assert.equal(shown.typeOfVideo, 'SCREEN');
});
