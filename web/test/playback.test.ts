import { expect, test } from 'vitest';
import { Playback } from '../src/lib/playback.svelte';

/** A video in a browser that plays sound only after a tap. */
class StrictVideo {
  static tapped = false;
  muted = false;
  paused = true;

  async play(): Promise<void> {
    if (!this.muted && !StrictVideo.tapped) throw new DOMException('a gesture first', 'NotAllowedError');
    this.paused = false;
  }
}

const strict = () => new StrictVideo() as unknown as HTMLVideoElement;

test('held-back sound plays muted at once and is heard after a tap', async () => {
  StrictVideo.tapped = false;
  const playback = new Playback();
  const [ana, ben] = [strict(), strict()];
  await playback.play(ana);
  await playback.play(ben);
  expect([playback.blocked, ana.paused, ana.muted, ben.muted]).toEqual([true, false, true, true]);

  StrictVideo.tapped = true;
  await playback.allow();
  expect([playback.blocked, ana.muted, ben.muted, ben.paused]).toEqual([false, false, false, false]);
});

test('when all who were held back have left there is nothing to tap for', async () => {
  StrictVideo.tapped = false;
  const playback = new Playback();
  const [ana, ben] = [strict(), strict()];
  await playback.play(ana);
  await playback.play(ben);
  playback.forget(ana);
  expect(playback.blocked).toBe(true);
  playback.forget(ben);
  expect(playback.blocked).toBe(false);
});

test('a play that another one replaced is not a refusal', async () => {
  const playback = new Playback();
  const video = { muted: false, play: async () => Promise.reject(new DOMException('', 'AbortError')) };
  await playback.play(video as unknown as HTMLVideoElement);
  expect([playback.blocked, video.muted]).toEqual([false, false]);
});
