// Room names: the same letters the server accepts for a session id.

const MAX_LENGTH = 64;

/** Turns what a person types into a room name; '' if nothing of it can be used. */
export function roomName(text: string): string {
  return text
    .normalize('NFD')
    .replace(/[\u0300-\u036f]/g, '')
    .trim()
    .replace(/\s+/g, '-')
    .replace(/[^a-zA-Z0-9_-]/g, '')
    .slice(0, MAX_LENGTH);
}

/** The room an address names: /call/tea, /?room=tea or /#tea; '' if none. */
export function roomIn(address: { pathname: string; search: string; hash: string }): string {
  const path = /^\/call\/([^/]+)\/?$/.exec(address.pathname)?.[1];
  const named = path ?? new URLSearchParams(address.search).get('room') ?? address.hash.replace(/^#/, '');
  return roomName(decoded(named));
}

function decoded(text: string): string {
  try {
    return decodeURIComponent(text);
  } catch {
    return text; // a lone % is not ours to judge
  }
}

export function roomPath(room: string): string {
  return `/call/${room}`;
}

const QUALITIES = ['amber', 'brisk', 'calm', 'clear', 'early', 'gentle', 'golden', 'late', 'linen', 'lucid', 'mellow',
  'open', 'quiet', 'silver', 'sunny', 'velvet'];
const PLACES = ['arcade', 'balcony', 'cafe', 'cloister', 'courtyard', 'fountain', 'garden', 'harbour', 'lantern',
  'library', 'orchard', 'parlour', 'patio', 'piazza', 'terrace', 'veranda'];
const TAIL = 'abcdefghjkmnpqrstuvwxyz23456789';

/** A name that is easy to read out and hard to guess: two words and five letters, 33 bits. */
export function suggestRoom(random: (below: number) => number = secureRandom): string {
  const tail = Array.from({ length: 5 }, () => TAIL[random(TAIL.length)]).join('');
  return `${QUALITIES[random(QUALITIES.length)]}-${PLACES[random(PLACES.length)]}-${tail}`;
}

function secureRandom(below: number): number {
  const drawn = crypto.getRandomValues(new Uint32Array(1))[0] ?? 0;
  return drawn % below;
}
