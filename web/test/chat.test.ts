import { describe, expect, test } from 'vitest';
import { chatData, continues, emptyChat, pieces, reduceChat, textIn, type Chat, type ChatAction } from '../src/lib/chat';

const said = (text: string, mine = false): ChatAction => ({ type: 'said', from: mine ? 'me' : 'con_A', name: 'Ana', text, mine, at: 0 });
const after = (...actions: ChatAction[]): Chat => actions.reduce(reduceChat, emptyChat);

describe('reduceChat', () => {
  test('counts what others said while the chat was closed', () => {
    const chat = after(said('one'), said('two'), said('mine', true));
    expect(chat.unread).toBe(2);
    expect(chat.messages.map((m) => m.text)).toEqual(['one', 'two', 'mine']);
  });

  test('opening it shows everything, and what comes then is seen', () => {
    expect(after(said('one'), { type: 'opened' }, said('two')).unread).toBe(0);
    expect(after({ type: 'opened' }, { type: 'closed' }, said('two')).unread).toBe(1);
  });

  test('messages keep distinct ids when old ones are forgotten', () => {
    const chat = after(...Array.from({ length: 700 }, (_, i) => said(String(i))));
    expect(chat.messages).toHaveLength(500);
    expect(chat.messages.at(-1)?.text).toBe('699');
    expect(new Set(chat.messages.map((m) => m.id)).size).toBe(500);
  });

  test('says nothing for blanks and cuts what is endless', () => {
    expect(after(said('  \n ')).messages).toEqual([]);
    expect(after(said('x'.repeat(9000))).messages[0]?.text).toHaveLength(2000);
  });
});

test.each([
  [chatData(' hi ', 'Ana'), 'hi'],
  ['plain', 'plain'],
  ['{"message":7}', '{"message":7}'],
  ['null', 'null'],
  ['', ''],
])('the text in %j is %j', (data, text) => expect(textIn(data)).toBe(text));

test('a name is told again after two minutes, or when another speaks', () => {
  const at = (from: string, time: number) => ({ id: 1, from, name: from, text: 'x', mine: false, at: time });
  expect(continues(at('A', 1000), at('A', 0))).toBe(true);
  expect(continues(at('A', 120_000), at('A', 0))).toBe(false);
  expect(continues(at('B', 1000), at('A', 0))).toBe(false);
  expect(continues(at('A', 0), undefined)).toBe(false);
});

describe('pieces', () => {
  test('finds addresses without the punctuation after them', () => {
    expect(pieces('see https://a.example/x, and (http://b.example).')).toEqual([
      { text: 'see ' },
      { text: 'https://a.example/x', href: 'https://a.example/x' },
      { text: ', and (' },
      { text: 'http://b.example', href: 'http://b.example' },
      { text: ').' },
    ]);
  });

  test('links nothing but http and https', () => {
    expect(pieces('javascript:alert(1) data:text/html,x').every((p) => p.href === undefined)).toBe(true);
  });

  test('loses no character', () => {
    const text = 'a https://x.example/?q=1&r=2 b\nhttps://y.example c';
    expect(pieces(text).map((p) => p.text).join('')).toBe(text);
  });
});
