import { describe, expect, test } from 'vitest';
import { byThisAddress, tokenFor, tokensOfCheck } from '../src/lib/token';

const HERE = new URL('https://10.0.0.5:4443/call/tea');
const TOKEN = 'wss://example.org?sessionId=tea&token=tok_A1';

function server(status: number, body: unknown, headers: Record<string, string> = {}) {
  const asked: string[] = [];
  const fetcher = async (path: string, init: RequestInit) => {
    asked.push(`${init.method} ${path}`);
    return new Response(typeof body === 'string' ? body : JSON.stringify(body), { status, headers });
  };
  return { asked, fetcher };
}

describe('tokenFor', () => {
  test('asks for the room and points the token here', async () => {
    const { asked, fetcher } = server(200, { token: TOKEN });
    expect(await tokenFor('tea', fetcher, HERE)).toBe('wss://10.0.0.5:4443?sessionId=tea&token=tok_A1');
    expect(asked).toEqual(['POST /call/tea']);
  });

  test.each([
    ['says what the server says', 403, { message: 'set CALL_PAGE=all' }, {}, 'set CALL_PAGE=all'],
    ['says how long to wait', 429, { message: 'x' }, { 'Retry-After': '7' }, '7 seconds'],
    ['names the status of a stranger', 502, '<html>bad gateway', {}, '502'],
    ['takes no token but text', 200, { token: 7 }, {}, '200'],
  ])('%s', async (_, status, body, headers, part) => {
    await expect(tokenFor('tea', server(status, body, headers).fetcher, HERE)).rejects.toThrow(part);
  });
});

describe('tokensOfCheck', () => {
  test('asks for a room of its own', async () => {
    const { asked, fetcher } = server(200, { tokens: [TOKEN, TOKEN, TOKEN] });
    expect(await tokensOfCheck(fetcher)).toHaveLength(3);
    expect(asked).toEqual(['POST /dashboard/test']);
  });

  test('says what the server says, and takes nothing but texts', async () => {
    await expect(tokensOfCheck(server(403, { message: 'set CALL_PAGE=all' }).fetcher)).rejects.toThrow('CALL_PAGE=all');
    await expect(tokensOfCheck(server(200, { tokens: [7] }).fetcher)).rejects.toThrow('no tokens');
    await expect(tokensOfCheck(server(200, {}).fetcher)).rejects.toThrow('no tokens');
  });
});

test.each([
  ['https://a:1/', 'wss://a:1?sessionId=tea&token=tok_A1'],
  ['http://localhost:4443/', 'ws://localhost:4443?sessionId=tea&token=tok_A1'],
  ['https://[::1]:4443/', 'wss://[::1]:4443?sessionId=tea&token=tok_A1'],
])('from %s the token leads to %s', (address, token) => expect(byThisAddress(TOKEN, new URL(address))).toBe(token));
