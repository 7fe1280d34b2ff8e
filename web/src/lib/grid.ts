// Where the tiles of a call go, computed from the size of the stage. Pure: the same people on the same screen always
// sit on the same chairs.

export interface Size {
  width: number;
  height: number;
}

export interface Rect extends Size {
  x: number;
  y: number;
}

const WIDEST = 16 / 9;
// A camera picture keeps a face in it when cut this narrow: held upright, a phone shows upright tiles.
const NARROWEST = { upright: 9 / 16, wide: 4 / 3 };

/** Returns count equal tiles, the largest that fit; the last row is centred. */
export function grid(count: number, stage: Size, gap: number): Rect[] {
  if (count < 1) return [];
  const narrowest = stage.height > stage.width ? NARROWEST.upright : NARROWEST.wide;
  let columns = 1;
  let tile: Size = { width: 0, height: 0 };
  for (let c = 1; c <= count; c++) {
    const rows = Math.ceil(count / c);
    const candidate = fit((stage.width - gap * (c - 1)) / c, (stage.height - gap * (rows - 1)) / rows, narrowest);
    if (candidate.width * candidate.height > tile.width * tile.height + 1) {
      columns = c;
      tile = candidate;
    }
  }
  return seat(count, columns, tile, stage, gap);
}

/** Shrinks a cell to the shapes a tile may have. */
function fit(width: number, height: number, narrowest: number): Size {
  const w = Math.max(0, width);
  const h = Math.max(0, height);
  return { width: Math.floor(Math.min(w, h * WIDEST)), height: Math.floor(Math.min(h, w / narrowest)) };
}

function seat(count: number, columns: number, tile: Size, stage: Size, gap: number): Rect[] {
  const rows = Math.ceil(count / columns);
  const top = (stage.height - rows * tile.height - (rows - 1) * gap) / 2;
  return Array.from({ length: count }, (_, i) => {
    const row = Math.floor(i / columns);
    const inRow = row === rows - 1 ? count - row * columns : columns;
    const left = (stage.width - inRow * tile.width - (inRow - 1) * gap) / 2;
    return {
      x: Math.round(left + (i % columns) * (tile.width + gap)),
      y: Math.round(top + row * (tile.height + gap)),
      ...tile,
    };
  });
}

/** Returns a place for each shared screen, then for each face: screens get the most of the stage, faces a strip. */
export function arrange(screens: number, faces: number, stage: Size, gap: number): Rect[] {
  if (screens === 0) return grid(faces, stage, gap);
  if (faces === 0) return grid(screens, stage, gap);
  const strip: Rect = { x: 0, y: 0, ...stage };
  const main: Rect = { x: 0, y: 0, ...stage };
  if (stage.width >= stage.height) {
    strip.width = Math.round(Math.min(280, stage.width * 0.24));
    main.width = stage.width - strip.width - gap;
    strip.x = main.width + gap;
  } else {
    // screens are mostly wide: more height than that would be empty
    main.height = Math.round(Math.max(stage.height * 0.38, Math.min(stage.height * 0.62, stage.width * 0.75)));
    strip.height = stage.height - main.height - gap;
    strip.y = main.height + gap;
  }
  return [...within(main, fill(screens, main, gap)), ...within(strip, grid(faces, strip, gap))];
}

/** Screens are letterboxed, not cut, so they may have any shape: they fill the area along its longer side. */
function fill(count: number, area: Size, gap: number): Rect[] {
  const across = area.width >= area.height;
  const width = across ? (area.width - gap * (count - 1)) / count : area.width;
  const height = across ? area.height : (area.height - gap * (count - 1)) / count;
  return Array.from({ length: count }, (_, i) => ({
    x: Math.round(across ? i * (width + gap) : 0),
    y: Math.round(across ? 0 : i * (height + gap)),
    width: Math.floor(width),
    height: Math.floor(height),
  }));
}

function within(area: Rect, rects: Rect[]): Rect[] {
  return rects.map((r) => ({ ...r, x: r.x + area.x, y: r.y + area.y }));
}
