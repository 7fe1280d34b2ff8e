// What a check has found, as data: measured here, or read from a shared link.

export const TRANSPORTS = ['udp', 'tcp', 'relay'] as const;
export type Transport = (typeof TRANSPORTS)[number];

/** off: the server offers no such transport. */
export const PATH_STATES = ['ok', 'fail', 'off'] as const;
/** How far a transport came that failed: no websocket, no ICE, no DTLS, no media; or what the server refused: media, all. */
export const STAGES = ['', 'signal', 'ice', 'dtls', 'media', 'codec', 'refused'] as const;
/** How the relay is reached. */
export const VIAS = ['', 'tls', 'tcp', 'udp'] as const;

export interface Path {
  state: (typeof PATH_STATES)[number];
  stage: (typeof STAGES)[number]; // '' unless it failed
  connect: number; // ms from the server's answer to the connection
  rtt: number; // ms there and back, measured by connectivity checks; -1 unknown
  lossUp: number; // percent of what was sent
  lossDown: number; // percent of what the server sent back
  via: (typeof VIAS)[number]; // '' but for a relay
}

/** silent: it opened, and delivers nothing. waiting: nobody has answered the browser's question yet. */
export const DEVICE_STATES = ['ok', 'silent', 'denied', 'busy', 'missing', 'insecure', 'failed', 'waiting'] as const;
export type DeviceState = (typeof DEVICE_STATES)[number];

/** What the person said of the sound that was played. */
export const SPEAKER_STATES = ['untried', 'ok', 'silent'] as const;
export type SpeakerState = (typeof SPEAKER_STATES)[number];

export interface Result extends Record<Transport, Path> {
  at: number; // ms since the epoch, whole seconds
  browser: string; // "Chrome 156 on Linux"
  camera: DeviceState;
  mic: DeviceState;
  speakers: SpeakerState;
}

export const failed = (stage: Path['stage'], via: Path['via'] = ''): Path => ({
  state: 'fail', stage, connect: 0, rtt: -1, lossUp: 0, lossDown: 0, via,
});
export const absent: Path = { ...failed(''), state: 'off' };

const BROWSERS: [string, RegExp][] = [
  ['Edge', /Edg(?:A|iOS)?\/(\d+)/],
  ['Opera', /OPR\/(\d+)/],
  ['Firefox', /(?:Firefox|FxiOS)\/(\d+)/],
  ['Chrome', /(?:HeadlessChrome|Chrome|CriOS)\/(\d+)/],
  ['Safari', /Version\/(\d+(?:\.\d+)?).*Safari/],
];
const SYSTEMS: [string, RegExp][] = [
  ['Android', /Android/],
  ['iOS', /iPhone|iPad|iPod/],
  ['Windows', /Windows/],
  ['macOS', /Mac OS X|Macintosh/],
  ['ChromeOS', /CrOS/],
  ['Linux', /Linux/],
];

/** A browser's user agent in a few words. */
export function browserName(agent: string): string {
  const browser = BROWSERS.flatMap(([name, mark]) => {
    const found = mark.exec(agent);
    return found ? [`${name} ${found[1]}`] : [];
  })[0];
  const system = SYSTEMS.find(([, mark]) => mark.test(agent))?.[0];
  return [browser ?? 'Unknown browser', system && `on ${system}`].filter(Boolean).join(' ');
}
