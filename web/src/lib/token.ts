// How the page gets the token it joins with.

type Fetch = (path: string, init: RequestInit) => Promise<Response>;

/** Asks the server for a token of a room; throws an Error with words for the person if it has none. */
export async function tokenFor(room: string, fetcher: Fetch = fetch, address: Location | URL = location): Promise<string> {
  const { token } = await post(`/call/${encodeURIComponent(room)}`, fetcher);
  if (typeof token === 'string') return byThisAddress(token, address);
  throw new Error('the server answered 200, but with no token.');
}

/** Asks for the tokens of one check, one for each transport; throws as tokenFor does. */
export async function tokensOfCheck(fetcher: Fetch = fetch): Promise<string[]> {
  const { tokens } = await post('/dashboard/test', fetcher);
  if (Array.isArray(tokens) && tokens.every((t) => typeof t === 'string')) return tokens;
  throw new Error('the server answered 200, but with no tokens.');
}

async function post(path: string, fetcher: Fetch): Promise<Record<string, unknown>> {
  const response = await fetcher(path, { method: 'POST' });
  const body = (await response.json().catch(() => ({}))) as Record<string, unknown>;
  if (response.ok) return body;
  if (response.status === 429) {
    throw new Error(`too many people came at once. Try again in ${response.headers.get('Retry-After') ?? 'a few'} seconds.`);
  }
  throw new Error(typeof body['message'] === 'string' ? body['message'] : `the server answered ${response.status}.`);
}

/** The token with the address this page was reached by: it works, whatever name the server believes it has. */
export function byThisAddress(token: string, address: { protocol: string; host: string }): string {
  const scheme = address.protocol === 'http:' ? 'ws' : 'wss';
  return token.replace(/^wss?:\/\/[^/?#]*/, `${scheme}://${address.host}`);
}
