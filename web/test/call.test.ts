import { describe, expect, test } from 'vitest';
import { headcount, me, mediaState, nameOf, newCall, reduce, tiles, type Action, type Call } from '../src/lib/call';

const after = (...actions: Action[]): Call => actions.reduce(reduce, newCall('tea'));
const came = (id: string, local = false, screenOf = ''): Action => ({ type: 'came', person: { id, name: id.toUpperCase(), local, screenOf } });
const stream = (person: string): Action => ({ type: 'stream', person, stream: { id: `str_${person}`, audio: true, video: true, media: 'connecting' } });

describe('people', () => {
  test('others come in order of arrival, oneself last', () => {
    const call = after(came('me', true), came('a'), came('b'), { type: 'left', id: 'a' }, came('c'));
    expect(tiles(call).faces.map((p) => p.id)).toEqual(['b', 'c', 'me']);
    expect(headcount(call)).toBe(3);
    expect(me(call)?.id).toBe('me');
  });

  test('coming twice is coming once', () => expect(headcount(after(came('a'), came('a')))).toBe(1));

  test('a person without a stream has a tile, a screen has none until it shows something', () => {
    const call = after(came('me', true), came('a'), came('s', false, 'a'));
    expect(tiles(call)).toMatchObject({ screens: [], faces: [{ id: 'a' }, { id: 'me' }] });
    expect(tiles(reduce(call, stream('s'))).screens.map((p) => p.id)).toEqual(['s']);
    expect(headcount(call)).toBe(2);
  });

  test("one's own screen is not shown to oneself", () => {
    expect(tiles(after(came('me', true), came('s', false, 'me'), stream('s'))).screens).toEqual([]);
  });

  test('nobody is nameless', () => {
    expect(nameOf(after(came('a')), 'a')).toBe('A');
    expect(nameOf(newCall('tea'), 'gone')).toBe('Guest');
  });
});

describe('streams', () => {
  test('a change meets its stream and no other', () => {
    const call = after(came('a'), came('b'), stream('a'), stream('b'), {
      type: 'stream-changed', stream: 'str_a', change: { audio: false, media: 'playing' },
    });
    expect(call.people[0]?.stream).toEqual({ id: 'str_a', audio: false, video: true, media: 'playing' });
    expect(call.people[1]?.stream).toEqual({ id: 'str_b', audio: true, video: true, media: 'connecting' });
  });

  test('a stream that goes takes the speaking ring with it, and leaves the person', () => {
    const call = after(came('a'), stream('a'), { type: 'speaking', person: 'a', speaking: true }, { type: 'stream-gone', stream: 'str_a' });
    expect(call.people).toEqual([{ id: 'a', name: 'A', local: false, screenOf: '', speaking: false }]);
  });

  test('news of an unknown stream changes nothing', () => {
    const call = after(came('a'));
    expect(reduce(call, { type: 'stream-changed', stream: 'x', change: { audio: false } })).toEqual(call);
    expect(reduce(call, { type: 'stream-gone', stream: 'x' })).toEqual(call);
  });
});

describe('link', () => {
  test('a short cut is told and forgotten', () => {
    const cut = after({ type: 'joined' }, { type: 'reconnecting' });
    expect(cut.link).toBe('reconnecting');
    const back = reduce(cut, { type: 'reconnected' });
    expect(back.link).toBe('resumed');
    expect(reduce(back, { type: 'steady' }).link).toBe('joined');
  });

  test('a second cut is not covered up by the end of the first', () => {
    const call = after({ type: 'joined' }, { type: 'reconnecting' }, { type: 'reconnected' }, { type: 'reconnecting' });
    expect(reduce(call, { type: 'steady' }).link).toBe('reconnecting');
  });

  test('an ended call stays ended, for its first reason', () => {
    const ended = after({ type: 'joined' }, { type: 'sharing', sharing: true }, { type: 'ended', reason: 'sessionClosedByServer' });
    expect(ended).toMatchObject({ link: 'ended', reason: 'sessionClosedByServer', sharing: false });
    for (const late of [{ type: 'reconnecting' }, { type: 'reconnected' }, { type: 'joined' }, { type: 'ended', reason: 'disconnect' }] as Action[]) {
      expect(reduce(ended, late)).toEqual(ended);
    }
  });
});

describe('notices', () => {
  const notice = (text: string): Action => ({ type: 'notice', text, trouble: true });

  test('the same words are not stacked, and three are enough', () => {
    expect(after(notice('a'), notice('a')).notices).toHaveLength(1);
    expect(after(...['a', 'b', 'c', 'd'].map(notice)).notices.map((n) => n.text)).toEqual(['b', 'c', 'd']);
  });

  test('one that offers something keeps its offer', () => {
    const call = after({ type: 'notice', text: 'a', trouble: true, offer: 'drawing' }, notice('b'));
    expect(call.notices.map((n) => n.offer)).toEqual(['drawing', undefined]);
  });

  test('one that was seen goes', () => {
    const call = after(notice('a'), notice('b'));
    expect(reduce(call, { type: 'notice-seen', id: call.notices[0]!.id }).notices.map((n) => n.text)).toEqual(['b']);
  });
});

test.each([
  [undefined, 'connecting', 'connecting'],
  ['checking', 'connecting', 'connecting'],
  ['connected', 'connecting', 'playing'],
  ['completed', 'interrupted', 'playing'],
  ['disconnected', 'playing', 'interrupted'],
  ['failed', 'connecting', 'interrupted'],
  ['checking', 'playing', 'interrupted'],
  [undefined, 'playing', 'interrupted'],
] as const)('ICE %s after %s is %s', (ice, before, now) => expect(mediaState(ice, before)).toBe(now));
