import { describe, expect, test } from 'vitest';
import { deviceTrouble, deviceWords, endWords, exceptionWords, joinWords, messageIn } from '../src/lib/words';

test.each([
  ['NotAllowedError', 'denied'],
  ['NotReadableError', 'busy'],
  ['AbortError', 'busy'],
  ['NotFoundError', 'missing'],
  ['OverconstrainedError', 'missing'],
  ['SecurityError', 'insecure'],
  ['TypeError', 'failed'],
])('%s means %s', (name, trouble) => {
  expect(deviceTrouble(new DOMException('', name))).toBe(trouble);
  expect(deviceTrouble({ name })).toBe(trouble);
});

test('anything else thrown is a failure, not a crash', () => {
  for (const thrown of [undefined, null, 'x', 7, {}]) expect(deviceTrouble(thrown)).toBe('failed');
});

test('every trouble says what to do, by the name of the device', () => {
  const remedies = { denied: 'Allow it', busy: 'Close it', missing: 'Plug one in', insecure: 'https://', failed: 'plug in again' };
  for (const [trouble, remedy] of Object.entries(remedies)) {
    const words = deviceWords('microphone', trouble as keyof typeof remedies);
    expect(words).toContain('microphone');
    expect(words).toContain(remedy);
  }
  expect(deviceWords('camera', 'busy', 'HD Webcam')).toContain('your camera (HD Webcam)');
  expect(deviceWords('camera and microphone', 'missing')).toMatch(/^No camera or microphone was found/);
});

describe('joinWords', () => {
  test.each([
    [new TypeError('Failed to fetch'), 'cannot be reached'],
    [new Error('WebSocket error'), 'cannot be reached'],
    [{ name: 'BROWSER_NOT_SUPPORTED', message: 'x' }, 'This browser'],
    [new Error('CALL_PAGE is local'), 'CALL_PAGE is local'],
    [{ code: 401, message: 'Token not valid' }, 'Token not valid'],
    [undefined, 'Try again'],
  ])('%s', (error, part) => expect(joinWords(error)).toContain(part));
});

test('each reason of the SDK has its own words, an unknown one is quoted', () => {
  const reasons = ['disconnect', 'networkDisconnect', 'forceDisconnectByUser', 'sessionClosedByServer', 'nodeCrashed'];
  expect(new Set(reasons.map((r) => endWords(r).title)).size).toBe(reasons.length);
  expect(endWords('forceDisconnectByServer')).toEqual(endWords('forceDisconnectByUser'));
  expect(endWords('marsRose').text).toContain('marsRose');
  expect(endWords('').text).not.toContain('said');
});

test('exceptions people can notice have words, others none', () => {
  for (const name of ['ICE_CONNECTION_FAILED', 'ICE_CONNECTION_DISCONNECTED', 'NO_STREAM_PLAYING_EVENT']) {
    expect(exceptionWords(name, 'from Ana')).toContain('from Ana');
  }
  expect(exceptionWords('ICE_CANDIDATE_ERROR', 'from Ana')).toBe('');
});

test('a message is found wherever it is', () => {
  expect(messageIn(new Error('a'))).toBe('a');
  expect(messageIn({ code: 1, message: 'b' })).toBe('b');
  expect(messageIn('c')).toBe('c');
  expect(messageIn(undefined)).toBe('');
});
