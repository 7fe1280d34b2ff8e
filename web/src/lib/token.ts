// How the page gets the token it joins with.

type Fetch = (path: string, init: RequestInit) => Promise<Response>;

/** Asks the server for a token of a room; throws an Error with words for the person if it has none. */
export async function tokenFor(room: string, fetcher: Fetch = fetch, address: Location | URL = location): Promise<string> {
  const response = await fetcher(`/call/${encodeURIComponent(room)}`, { method: 'POST' });
  const body = (await response.json().catch(() => ({}))) as { token?: unknown; message?: unknown };
  if (response.ok && typeof body.token === 'string') return byThisAddress(body.token, address);
  if (response.status === 429) {
    throw new Error(`too many people came at once. Try again in ${response.headers.get('Retry-After') ?? 'a few'} seconds.`);
  }
  throw new Error(typeof body.message === 'string' ? body.message : `the server answered ${response.status}.`);
}

/** The token with the address this page was reached by: it works, whatever name the server believes it has. */
export function byThisAddress(token: string, address: { protocol: string; host: string }): string {
  const scheme = address.protocol === 'http:' ? 'ws' : 'wss';
  return token.replace(/^wss?:\/\/[^/?#]*/, `${scheme}://${address.host}`);
}
