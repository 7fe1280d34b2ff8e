// The picture and the tone a participant is known by, and how to read them back on the other side.
//
//   +------------------+  0–50 %   the participant's colour
//   |                  |
//   |------█-----------|  50–70 %  a bar moving to the right, or noise, for frames that are not small
//   |█ █ ██ █ █        |  75–100 % the frame counter: a white cell, a black cell, 10 bits, highest first
//   +------------------+
'use strict';

const pattern = (() => {
  const colours = [[200, 40, 40], [40, 170, 40], [50, 70, 210], [200, 180, 40], [180, 50, 180], [40, 170, 180],
    [225, 225, 225], [115, 115, 115], [110, 60, 10], [20, 40, 100]];
  const bits = 10;
  const tone = (index) => 500 + 250 * index; // Hz

  function draw(ctx, index, frame, noise) {
    const { width: w, height: h } = ctx.canvas;
    ctx.fillStyle = `rgb(${colours[index]})`;
    ctx.fillRect(0, 0, w, h);
    ctx.fillStyle = '#fff';
    ctx.fillRect(((frame * 4) % 100) / 100 * w, h * 0.5, w / 16, h * 0.2);
    if (noise) {
      const grain = ctx.createImageData(w, Math.round(h * 0.2));
      for (let i = 0; i < grain.data.length; i += 4) grain.data.set([Math.random() * 256, Math.random() * 256, Math.random() * 256, 255], i);
      ctx.putImageData(grain, 0, Math.round(h * 0.5));
    }
    const cells = [1, 0, ...Array.from({ length: bits }, (_, i) => (frame >> (bits - 1 - i)) & 1)];
    cells.forEach((on, i) => {
      ctx.fillStyle = on ? '#fff' : '#000';
      ctx.fillRect(Math.round(i * w / cells.length), h * 0.75, Math.ceil(w / cells.length), h * 0.25);
    });
  }

  /** A video track of the participant's pattern. */
  function video(index, { width, height, fps, noise }) {
    const ctx = Object.assign(document.createElement('canvas'), { width, height }).getContext('2d');
    let frame = 0;
    draw(ctx, index, frame, noise);
    const track = ctx.canvas.captureStream(fps).getVideoTracks()[0];
    const timer = setInterval(() => {
      if (track.readyState === 'ended') clearInterval(timer);
      draw(ctx, index, ++frame, noise);
    }, 1000 / fps);
    return track;
  }

  let context;

  /** The page's only AudioContext: a browser gives some fifty of them sound. */
  const sound = () => { context ??= new AudioContext(); return context; };

  /** An audio track of the participant's tone. */
  function audio(index) {
    const ctx = sound();
    const out = ctx.createMediaStreamDestination();
    const gain = ctx.createGain();
    const sine = new OscillatorNode(ctx, { frequency: tone(index) });
    gain.gain.value = 0.4;
    sine.connect(gain).connect(out);
    sine.start();
    return out.stream.getAudioTracks()[0];
  }

  const ctx = document.createElement('canvas').getContext('2d', { willReadFrequently: true });

  function average(w, h, x0, y0, x1, y1) {
    const { data } = ctx.getImageData(Math.round(x0 * w), Math.round(y0 * h), Math.max(1, Math.round((x1 - x0) * w)), Math.max(1, Math.round((y1 - y0) * h)));
    const sum = [0, 0, 0];
    for (let i = 0; i < data.length; i += 4) for (let c = 0; c < 3; c++) sum[c] += data[i + c];
    return sum.map((s) => s / (data.length / 4));
  }

  /** What a playing <video> shows: whose colour (index, -1 for nobody's), the counter (-1 if unreadable), luma 0–255. */
  function look(video) {
    const w = video.videoWidth, h = video.videoHeight;
    if (!w || video.readyState < 2) return { who: -1, counter: -1, luma: -1, width: w, height: h };
    Object.assign(ctx.canvas, { width: w, height: h });
    ctx.drawImage(video, 0, 0, w, h);
    const rgb = average(w, h, 0.2, 0.1, 0.8, 0.4);
    const distances = colours.map((c) => Math.hypot(...c.map((v, i) => v - rgb[i])));
    const nearest = distances.indexOf(Math.min(...distances));
    const cells = Array.from({ length: bits + 2 }, (_, i) =>
      average(w, h, (i + 0.3) / (bits + 2), 0.82, (i + 0.7) / (bits + 2), 0.94).reduce((a, b) => a + b) / 3);
    const middle = (cells[0] + cells[1]) / 2;
    const readable = cells[0] - cells[1] > 100;
    return {
      who: distances[nearest] < 60 ? nearest : -1,
      counter: readable ? cells.slice(2).reduce((n, v) => n * 2 + (v > middle ? 1 : 0), 0) : -1,
      luma: rgb.reduce((a, b) => a + b) / 3,
      width: w, height: h,
    };
  }

  /** An ear on a stream; listen() says whose tone it hears (-1: nobody's), the loudest frequency in Hz, its level in dB. */
  function ear(stream) {
    const ctx = sound();
    const analyser = new AnalyserNode(ctx, { fftSize: 8192, smoothingTimeConstant: 0 });
    const source = ctx.createMediaStreamSource(stream);
    source.connect(analyser);
    const bins = new Float32Array(analyser.frequencyBinCount);
    const listen = () => {
      analyser.getFloatFrequencyData(bins);
      const top = bins.indexOf(Math.max(...bins));
      const hertz = top * ctx.sampleRate / analyser.fftSize;
      const level = bins[top];
      const near = colours.findIndex((_, i) => Math.abs(tone(i) - hertz) < 15);
      return { who: level > -60 ? near : -1, hertz, level };
    };
    return { stream, listen, close: () => source.disconnect() };
  }

  return { video, audio, look, ear, tone };
})();
