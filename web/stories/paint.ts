// Pictures for people who are not there.

/** A moving portrait of someone, as a camera would send it. */
export function portrait(hue: number, width = 640, height = 360): MediaStream {
  return filmed(width, height, (pen, t) => {
    const ground = pen.createLinearGradient(0, 0, width, height);
    ground.addColorStop(0, `hsl(${hue} 26% 46%)`);
    ground.addColorStop(1, `hsl(${hue + 40} 30% 24%)`);
    pen.fillStyle = ground;
    pen.fillRect(0, 0, width, height);
    pen.fillStyle = `hsl(${hue + 20} 34% 60% / 0.25)`;
    pen.fillRect(width * 0.07, height * 0.1, width * 0.2, height * 0.42);
    const x = width / 2 + Math.sin(t / 1300 + hue) * 9;
    const y = height * 0.47 + Math.sin(t / 900 + hue) * 3;
    pen.fillStyle = `hsl(${(hue + 190) % 360} 28% 30%)`;
    pen.beginPath();
    pen.ellipse(x, height * 1.08, height * 0.52, height * 0.4, 0, 0, 7);
    pen.fill();
    pen.fillStyle = 'hsl(24 38% 62%)';
    pen.fillRect(x - height * 0.07, y + height * 0.1, height * 0.14, height * 0.18);
    pen.beginPath();
    pen.ellipse(x, y, height * 0.155, height * 0.2, 0, 0, 7);
    pen.fill();
    pen.fillStyle = `hsl(${hue % 50} 30% 18%)`;
    pen.beginPath();
    pen.ellipse(x, y - height * 0.1, height * 0.17, height * 0.13, 0, Math.PI, 0);
    pen.fill();
  });
}

/** A page of a document, as a shared screen would show it. */
export function document(): MediaStream {
  return filmed(1280, 720, (pen) => {
    pen.fillStyle = '#e9ecef';
    pen.fillRect(0, 0, 1280, 720);
    pen.fillStyle = '#fff';
    pen.fillRect(240, 60, 800, 720);
    pen.fillStyle = '#1d2b36';
    pen.font = '600 44px sans-serif';
    pen.fillText('Plan for the autumn', 310, 160);
    pen.fillStyle = '#aab4bd';
    for (let line = 0; line < 11; line++) pen.fillRect(310, 220 + line * 40, 660 - ((line * 97) % 240), 14);
  });
}

function filmed(width: number, height: number, paint: (pen: CanvasRenderingContext2D, t: number) => void): MediaStream {
  const canvas = Object.assign(window.document.createElement('canvas'), { width, height });
  const pen = canvas.getContext('2d')!;
  const frame = (t: number) => {
    paint(pen, t);
    requestAnimationFrame(frame);
  };
  frame(0);
  return canvas.captureStream(15);
}
