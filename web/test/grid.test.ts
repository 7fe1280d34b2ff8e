import { describe, expect, test } from 'vitest';
import { arrange, grid, type Rect, type Size } from '../src/lib/grid';

const DESKTOP = { width: 1260, height: 658 };
const PHONE = { width: 370, height: 700 };
const GAP = 10;

function overlap(a: Rect, b: Rect): boolean {
  return a.x < b.x + b.width && b.x < a.x + a.width && a.y < b.y + b.height && b.y < a.y + a.height;
}

function expectSound(rects: Rect[], stage: Size) {
  rects.forEach((r, i) => {
    expect(r.x).toBeGreaterThanOrEqual(0);
    expect(r.y).toBeGreaterThanOrEqual(0);
    expect(r.x + r.width).toBeLessThanOrEqual(stage.width + 1);
    expect(r.y + r.height).toBeLessThanOrEqual(stage.height + 1);
    for (const other of rects.slice(i + 1)) expect(overlap(r, other)).toBe(false);
  });
}

describe('grid', () => {
  for (const [name, stage] of Object.entries({ desktop: DESKTOP, phone: PHONE })) {
    test.each([1, 2, 3, 4, 6, 9, 12, 25])(`seats %i on a ${name} without overlap`, (count) => {
      const rects = grid(count, stage, GAP);
      expect(rects).toHaveLength(count);
      expectSound(rects, stage);
    });
  }

  test('two people sit side by side on a desktop and one above the other on a phone', () => {
    const [a, b] = grid(2, DESKTOP, GAP);
    expect(a!.y).toBe(b!.y);
    const [c, d] = grid(2, PHONE, GAP);
    expect(c!.x).toBe(d!.x);
  });

  test('six people take two rows of three on a desktop, three rows of two on a phone', () => {
    expect(new Set(grid(6, DESKTOP, GAP).map((r) => r.y)).size).toBe(2);
    expect(new Set(grid(6, PHONE, GAP).map((r) => r.y)).size).toBe(3);
  });

  test('a last row that is not full is centred', () => {
    const last = grid(3, DESKTOP, GAP)[2]!;
    expect(Math.abs(last.x + last.width / 2 - DESKTOP.width / 2)).toBeLessThanOrEqual(1);
  });

  test('a camera picture keeps a shape that shows a face', () => {
    for (const count of [1, 2, 3, 6, 9]) {
      for (const { width, height } of grid(count, DESKTOP, GAP)) {
        expect(width / height).toBeGreaterThan(1.32);
        expect(width / height).toBeLessThan(1.79);
      }
    }
  });

  test('a stage without room has tiles without size, not below it', () => {
    for (const r of grid(9, { width: 0, height: 0 }, GAP)) expect([r.width, r.height]).toEqual([0, 0]);
    expect(grid(0, DESKTOP, GAP)).toEqual([]);
  });
});

describe('arrange', () => {
  test.each([DESKTOP, PHONE])('a shared screen takes most of the stage, faces the rest', (stage) => {
    const rects = arrange(1, 5, stage, GAP);
    expect(rects).toHaveLength(6);
    expectSound(rects, stage);
    const [screen, ...faces] = rects;
    for (const face of faces) expect(face.width * face.height).toBeLessThan(screen!.width * screen!.height);
  });

  test('two screens share the place of one', () => {
    const rects = arrange(2, 2, DESKTOP, GAP);
    expectSound(rects, DESKTOP);
    expect(rects[0]!.width).toBe(rects[1]!.width);
  });

  test('without screens it is the grid', () => {
    expect(arrange(0, 4, DESKTOP, GAP)).toEqual(grid(4, DESKTOP, GAP));
  });

  test('screens without faces fill the stage', () => {
    expect(arrange(1, 0, DESKTOP, GAP)).toHaveLength(1);
  });
});
