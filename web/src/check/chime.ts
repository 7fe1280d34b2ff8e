// The sound a person is asked whether they hear it.

/** Plays two notes; resolves when they are over. To be called from a click. */
export async function chime(): Promise<void> {
  const audio = new AudioContext();
  await audio.resume();
  const ended = [523.25, 783.99].map((hertz, i) => note(audio, hertz, audio.currentTime + i * 0.28));
  await Promise.all(ended);
  await audio.close();
}

function note(audio: AudioContext, hertz: number, at: number): Promise<void> {
  const tone = new OscillatorNode(audio, { frequency: hertz, type: 'triangle' });
  const loudness = new GainNode(audio, { gain: 0 });
  loudness.gain.setValueAtTime(0, at);
  loudness.gain.linearRampToValueAtTime(0.35, at + 0.02);
  loudness.gain.exponentialRampToValueAtTime(0.001, at + 0.7);
  tone.connect(loudness).connect(audio.destination);
  tone.start(at);
  tone.stop(at + 0.75);
  return new Promise((done) => tone.addEventListener('ended', () => done()));
}
