import { describe, expect, test } from 'vitest';
import { fragmentOf, resultIn } from '../src/check/link';
import { absent, failed, type Result } from '../src/check/result';

const result: Result = {
  at: 1_795_247_000_000, browser: 'Chrome 156 on Linux', camera: 'ok', mic: 'silent', speakers: 'untried',
  udp: failed('ice'), tcp: { state: 'ok', stage: '', connect: 140, rtt: 31, lossUp: 0.4, lossDown: 0, via: '' },
  relay: { state: 'ok', stage: '', connect: 160, rtt: 33, lossUp: 0, lossDown: 1.5, via: 'tls' },
};
const base64url = (text: string) => btoa(text).replaceAll('+', '-').replaceAll('/', '_').replaceAll('=', '');
const encoded = (fields: unknown) => `#r=${base64url(JSON.stringify(fields))}`;
const fields = (): unknown[] => JSON.parse(atob(fragmentOf(result).slice(3).replaceAll('-', '+').replaceAll('_', '/'))) as unknown[];

describe('a link', () => {
  test('brings back what was put in, and is short', () => {
    expect(resultIn(fragmentOf(result))).toEqual(result);
    expect(fragmentOf(result).length).toBeLessThan(200);
    const other = { ...result, relay: absent, browser: 'Σαφάρι 18 on macOS' };
    expect(resultIn(fragmentOf(other))).toEqual(other);
  });

  test('holds nothing a mail program would cut', () => expect(fragmentOf(result)).toMatch(/^#r=[\w-]+$/));
});

describe('what others wrote into one', () => {
  test.each<[string, string]>([
    ['nothing', ''],
    ['a room', '#tea'],
    ['no base64', '#r=%%%'],
    ['no JSON', `#r=${base64url('{')}`],
    ['no UTF-8', `#r=${base64url('"\xff"')}`],
    ['no list', encoded({ length: 7 })],
    ['null', encoded(null)],
    ['far too much', `#r=${'A'.repeat(5000)}`],
  ])('%s', (_, fragment) => expect(resultIn(fragment)).toBeUndefined());

  test.each<[string, number, unknown]>([
    ['another version', 0, 2],
    ['a time that is none', 1, 'today'],
    ['a time beyond calendars', 1, 1e20],
    ['a name with a page in it', 2, 'x'.repeat(61)],
    ['a name that is none', 2, 7],
    ['a state nobody knows', 3, 99],
    ['half a state', 4, 0.5],
    ['a state below all', 5, -1],
    ['a way too many', 6, [[0, 0, 1, 1, 0, 0, 0]]],
    ['a way that is none', 6, [null, null, null]],
    ['a loss beyond all', 6, [[0, 0, 1, 1, 101, 0, 0], [0, 0, 1, 1, 0, 0, 0], [0, 0, 1, 1, 0, 0, 0]]],
  ])('%s', (_, index, value) => {
    const changed = fields();
    changed[index] = value;
    expect(resultIn(encoded(changed))).toBeUndefined();
  });

  test('random bytes are refused or read, never thrown', () => {
    let seed = 1;
    for (let i = 0; i < 2000; i++) {
      const text = fragmentOf(result).split('');
      for (let n = 0; n < 3; n++) {
        seed = (seed * 48_271) % 2_147_483_647;
        text[3 + (seed % (text.length - 3))] = 'ABCDEFabcdef0189-_'[seed % 18]!;
      }
      expect(() => resultIn(text.join(''))).not.toThrow();
    }
  });
});
