// A picture that moves and needs no camera: what the check sends to itself, and what a person sends whose camera is taken.

const FPS = 15;

/** A video track of a painted picture. The painting ends when the track and all its clones have. */
export function drawnPicture(hue: number, width = 640, height = 360): MediaStreamTrack {
  const canvas = Object.assign(document.createElement('canvas'), { width, height });
  const pen = canvas.getContext('2d')!;
  const live = new Set<MediaStreamTrack>();
  paint(pen, hue, 0);
  const [track] = canvas.captureStream(FPS).getVideoTracks();
  // A timer, not animation frames: those stop in a tab that is not shown, and the others would see a still picture.
  const timer = setInterval(() => {
    for (const t of live) if (t.readyState === 'ended') live.delete(t);
    if (live.size === 0) clearInterval(timer);
    else paint(pen, hue, performance.now());
  }, 1000 / FPS);
  return counted(track!, live);
}

/** Keeps a track in live, and every clone that is made of it. */
function counted(track: MediaStreamTrack, live: Set<MediaStreamTrack>): MediaStreamTrack {
  const clone = track.clone.bind(track);
  track.clone = () => counted(clone(), live);
  live.add(track);
  return track;
}

/** Two rings that pass through each other over a slowly moving ground; no letters, since one's own picture is mirrored. */
function paint(pen: CanvasRenderingContext2D, hue: number, t: number): void {
  const { width, height } = pen.canvas;
  const slow = (t / 4000) % (2 * Math.PI);
  const ground = pen.createLinearGradient(0, 0, width * (0.7 + 0.3 * Math.cos(slow)), height);
  ground.addColorStop(0, `hsl(${hue} 30% 40%)`);
  ground.addColorStop(1, `hsl(${hue + 50} 36% 20%)`);
  pen.fillStyle = ground;
  pen.fillRect(0, 0, width, height);
  pen.lineWidth = height * 0.05;
  for (const side of [-1, 1]) {
    const x = width / 2 + side * height * (0.16 + 0.13 * Math.sin(t / 900));
    const y = height / 2 + side * height * 0.05 * Math.cos(t / 700);
    pen.strokeStyle = `hsl(${hue + 20 + side * 14} 62% 72%)`;
    pen.beginPath();
    pen.arc(x, y, height * 0.24, 0, 7);
    pen.stroke();
  }
}
