// How loud a microphone is, for the meter in the lobby.

/** Calls back with 0 to 1 at each frame of the screen while the track lives; returns what ends that. */
export function watchLevel(track: MediaStreamTrack, heard: (level: number) => void): () => void {
  const audio = new AudioContext();
  const analyser = audio.createAnalyser();
  analyser.fftSize = 512;
  audio.createMediaStreamSource(new MediaStream([track])).connect(analyser);
  const wake = () => void audio.resume(); // browsers start sound only after a gesture
  addEventListener('pointerdown', wake);

  const samples = new Float32Array(analyser.fftSize);
  let level = 0;
  let frame = requestAnimationFrame(function look() {
    analyser.getFloatTimeDomainData(samples);
    level = Math.max(loudness(samples), level * 0.9); // rises at once, falls slowly: easier to read
    heard(level);
    frame = requestAnimationFrame(look);
  });
  return () => {
    cancelAnimationFrame(frame);
    removeEventListener('pointerdown', wake);
    void audio.close();
  };
}

const QUIETEST = -60; // dB below full scale
const LOUDEST = -12;

/** Samples of -1 to 1 as loudness of 0 to 1, even to the ear. */
export function loudness(samples: ArrayLike<number>): number {
  let sum = 0;
  for (let i = 0; i < samples.length; i++) sum += (samples[i] ?? 0) ** 2;
  const decibels = 10 * Math.log10(sum / Math.max(1, samples.length) + 1e-12);
  return Math.min(1, Math.max(0, (decibels - QUIETEST) / (LOUDEST - QUIETEST)));
}
