import { describe, expect, test } from 'vitest';
import { clientData, hue, identityIn, initials } from '../src/lib/people';

describe('identityIn', () => {
  test.each([
    [clientData('Ana'), 'Ana', ''],
    [clientData('Ana', 'con_A'), 'Ana', 'con_A'],
    [`${clientData('Ana')}%/%{"role":"teacher"}`, 'Ana', ''],
    ['{"name":"Ana"}', 'Ana', ''],
    ['{"nickname":"Ana"}', 'Ana', ''],
    ['Ana', 'Ana', ''],
    ['"Ana"', '"Ana"', ''],
    ['', 'Guest', ''],
    ['{}', 'Guest', ''],
    ['{"clientData":7,"screenOf":[1]}', 'Guest', ''],
    ['null', 'null', ''],
    ['{"clientData":"  "}', 'Guest', ''],
  ])('%j is %s', (data, name, screenOf) => expect(identityIn(data)).toEqual({ name, screenOf }));

  test('cuts a name that would break the tile', () => {
    expect(identityIn('x'.repeat(500)).name).toHaveLength(60);
  });
});

test.each([
  ['Ana', 'A'],
  ['Marguerite de la Fontaine', 'MF'],
  ['ana_luisa', 'AL'],
  ['🦊 fox', '🦊F'],
  ['', '?'],
  ['- -', '?'],
])('initials of %j are %j', (name, letters) => expect(initials(name)).toBe(letters));

test('a name keeps its hue', () => {
  expect(hue('Ana')).toBe(hue('Ana'));
  expect(hue('Ana')).not.toBe(hue('Ben'));
  expect(hue('')).toBeLessThan(360);
});
