import { describe, expect, test } from 'vitest';
import { roomIn, roomName, roomPath, suggestRoom } from '../src/lib/rooms';

const ACCEPTED = /^[a-zA-Z0-9_-]{1,64}$/; // by the server

describe('roomName', () => {
  test.each([
    ['tea', 'tea'],
    ['  Tea time ', 'Tea-time'],
    ['café déjà vu', 'cafe-deja-vu'],
    ['a/b?c#d', 'abcd'],
    ['日本', ''],
    ['', ''],
    ['x'.repeat(100), 'x'.repeat(64)],
  ])('%j becomes %j', (typed, name) => {
    expect(roomName(typed)).toBe(name);
    if (name) expect(name).toMatch(ACCEPTED);
  });
});

describe('roomIn', () => {
  const at = (text: string) => roomIn(new URL(text, 'https://here.example'));
  test.each([
    ['/', ''],
    ['/call/tea', 'tea'],
    ['/call/tea/', 'tea'],
    ['/?room=tea', 'tea'],
    ['/#tea', 'tea'],
    ['/call/tea?room=coffee#milk', 'tea'],
    ['/call/caf%C3%A9', 'cafe'],
    ['/#%', ''],
    ['/call/%E0%A4%A', 'E0A4A'],
    ['/other/tea', ''],
  ])('%s names %j', (address, room) => expect(at(address)).toBe(room));

  test('finds what roomPath wrote', () => expect(at(roomPath('tea-7'))).toBe('tea-7'));
});

describe('suggestRoom', () => {
  test('is a name the server accepts', () => {
    for (let i = 0; i < 200; i++) expect(suggestRoom()).toMatch(ACCEPTED);
  });

  test('is drawn from the whole range', () => {
    expect(suggestRoom(() => 0)).toBe('amber-arcade-aaaaa');
    expect(suggestRoom((below) => below - 1)).toBe('velvet-veranda-99999');
  });
});
