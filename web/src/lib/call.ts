// The state of a call and what changes it. Pure: live-room.svelte.ts turns what the SDK reports into actions, the components
// show the state.

/** How a stream's media does: on its way, here, or interrupted. */
export type MediaState = 'connecting' | 'playing' | 'interrupted';

export interface StreamView {
  id: string;
  audio: boolean; // sends sound now
  video: boolean; // sends pictures now
  media: MediaState;
}

export interface Person {
  id: string; // connection id
  name: string;
  local: boolean;
  /** The connection whose screen this one shows; '' for a person. */
  screenOf: string;
  speaking: boolean;
  stream?: StreamView;
}

export type Link = 'joining' | 'joined' | 'reconnecting' | 'resumed' | 'ended';

export interface Notice {
  id: number;
  text: string;
  trouble: boolean;
  /** What the person can do about it: send a painted picture in the camera's place. Such a notice stays. */
  offer?: 'drawing';
}

export interface Call {
  room: string;
  link: Link;
  /** Why the link ended: the SDK's reason, '' while it has not. */
  reason: string;
  sharing: boolean; // my screen
  people: readonly Person[]; // in order of arrival, self first
  notices: readonly Notice[];
}

export type Action =
  | { type: 'came'; person: Pick<Person, 'id' | 'name' | 'local' | 'screenOf'> }
  | { type: 'left'; id: string }
  | { type: 'stream'; person: string; stream: StreamView }
  | { type: 'stream-gone'; stream: string }
  | { type: 'stream-changed'; stream: string; change: Partial<Omit<StreamView, 'id'>> }
  | { type: 'speaking'; person: string; speaking: boolean }
  | { type: 'sharing'; sharing: boolean }
  | { type: 'joined' }
  | { type: 'reconnecting' }
  | { type: 'reconnected' }
  | { type: 'steady' }
  | { type: 'ended'; reason: string }
  | { type: 'notice'; text: string; trouble: boolean; offer?: 'drawing' }
  | { type: 'notice-seen'; id: number };

export function newCall(room: string): Call {
  return { room, link: 'joining', reason: '', sharing: false, people: [], notices: [] };
}

export function reduce(call: Call, action: Action): Call {
  switch (action.type) {
    case 'came':
      if (call.people.some((p) => p.id === action.person.id)) return call;
      return { ...call, people: [...call.people, { ...action.person, speaking: false }] };
    case 'left':
      return { ...call, people: call.people.filter((p) => p.id !== action.id) };
    case 'stream':
      return changed(call, (p) => p.id === action.person, (p) => ({ ...p, stream: action.stream }));
    case 'stream-gone':
      return changed(call, sends(action.stream), ({ stream: _, ...p }) => ({ ...p, speaking: false }));
    case 'stream-changed':
      return changed(call, sends(action.stream), (p) => ({ ...p, stream: { ...p.stream!, ...action.change } }));
    case 'speaking':
      return changed(call, (p) => p.id === action.person, (p) => ({ ...p, speaking: action.speaking }));
    case 'notice':
      return noticed(call, action);
    case 'notice-seen':
      return { ...call, notices: call.notices.filter((n) => n.id !== action.id) };
    case 'sharing':
      return { ...call, sharing: action.sharing };
    default:
      return linked(call, action);
  }
}

type LinkAction = Extract<Action, { type: 'joined' | 'reconnecting' | 'reconnected' | 'steady' | 'ended' }>;

/** An ended link stays so: a late report of the SDK must not bring a finished call back. */
function linked(call: Call, action: LinkAction): Call {
  if (call.link === 'ended') return call;
  switch (action.type) {
    case 'joined':
      return { ...call, link: 'joined' };
    case 'reconnecting':
      return { ...call, link: 'reconnecting' };
    case 'reconnected':
      return call.link === 'reconnecting' ? { ...call, link: 'resumed' } : call;
    case 'steady':
      return call.link === 'resumed' ? { ...call, link: 'joined' } : call;
    case 'ended':
      return { ...call, link: 'ended', reason: action.reason, sharing: false };
  }
}

function sends(stream: string): (p: Person) => boolean {
  return (p) => p.stream?.id === stream;
}

function changed(call: Call, which: (p: Person) => boolean, change: (p: Person) => Person): Call {
  return { ...call, people: call.people.map((p) => (which(p) ? change(p) : p)) };
}

const SHOWN = 3; // notices at a time

function noticed(call: Call, { text, trouble, offer }: Omit<Notice, 'id'>): Call {
  if (call.notices.some((n) => n.text === text)) return call;
  const id = (call.notices.at(-1)?.id ?? 0) + 1;
  return { ...call, notices: [...call.notices, { id, text, trouble, ...(offer && { offer }) }].slice(-SHOWN) };
}

/** A stream's state from its peer connection's, and whether it has ever played. */
export function mediaState(ice: RTCIceConnectionState | undefined, before: MediaState): MediaState {
  switch (ice) {
    case 'connected':
    case 'completed':
      return 'playing';
    case 'disconnected':
    case 'failed':
      return 'interrupted';
    default: // new, checking, closed: the first connection, or a repair
      return before === 'connecting' ? 'connecting' : 'interrupted';
  }
}

export const isScreen = (p: Person): boolean => p.screenOf !== '';

/** The screens others share, then the faces: others in order of arrival, oneself last. */
export function tiles(call: Call): { screens: Person[]; faces: Person[] } {
  const self = me(call);
  const mine = (p: Person) => p.local || p.screenOf === self?.id;
  const screens = call.people.filter((p) => isScreen(p) && !mine(p) && p.stream !== undefined);
  const faces = call.people.filter((p) => !isScreen(p) && !p.local);
  return { screens, faces: self ? [...faces, self] : faces };
}

export function me(call: Call): Person | undefined {
  return call.people.find((p) => p.local);
}

export function nameOf(call: Call, id: string): string {
  return call.people.find((p) => p.id === id)?.name ?? 'Guest';
}

/** How many people are in the call, screens not counted. */
export function headcount(call: Call): number {
  return call.people.filter((p) => !isScreen(p)).length;
}
