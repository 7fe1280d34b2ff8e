import { expect, test } from 'vitest';
import { shortcutOf } from '../src/lib/keys';
import { loudness } from '../src/lib/level';

const press = (key: string, held: object = {}) => ({ key, ctrlKey: false, metaKey: false, altKey: false, repeat: false, ...held });

test('m, v and c work in either case', () => {
  expect(['m', 'V', 'c', 'x'].map((k) => shortcutOf(press(k), false))).toEqual(['m', 'v', 'c', undefined]);
});

test('what belongs to the browser or to a text is left alone', () => {
  for (const held of [{ ctrlKey: true }, { metaKey: true }, { altKey: true }, { repeat: true }]) {
    expect(shortcutOf(press('c', held), false)).toBeUndefined();
  }
  expect(shortcutOf(press('m'), true)).toBeUndefined();
  expect(shortcutOf(press('Escape'), true)).toBe('Escape');
});

test('loudness runs from silence to shouting', () => {
  const tone = (amplitude: number) => Array.from({ length: 512 }, (_, i) => amplitude * Math.sin(i));
  expect(loudness(tone(0))).toBe(0);
  expect(loudness(tone(1))).toBe(1);
  expect(loudness(tone(0.05))).toBeGreaterThan(loudness(tone(0.01)));
  expect(loudness([])).toBe(0);
});
