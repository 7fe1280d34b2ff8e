// A result inside a link: after the #, which browsers keep to themselves, so that no server stores it.

import { DEVICE_STATES, PATH_STATES, SPEAKER_STATES, STAGES, TRANSPORTS, VIAS, type Path, type Result } from './result';

const VERSION = 1;
const LONGEST = 1000; // characters of a fragment; ours have about 150
const LONGEST_NAME = 60;

/** "#r=…" for a result. */
export function fragmentOf(result: Result): string {
  const paths = TRANSPORTS.map((t) => {
    const p = result[t];
    return [PATH_STATES.indexOf(p.state), STAGES.indexOf(p.stage), p.connect, p.rtt, p.lossUp, p.lossDown, VIAS.indexOf(p.via)];
  });
  const { at, browser, camera, mic, speakers } = result;
  const fields = [VERSION, Math.round(at / 1000), browser, DEVICE_STATES.indexOf(camera), DEVICE_STATES.indexOf(mic), SPEAKER_STATES.indexOf(speakers), paths];
  const bytes = new TextEncoder().encode(JSON.stringify(fields));
  return `#r=${btoa(String.fromCharCode(...bytes)).replaceAll('+', '-').replaceAll('/', '_').replaceAll('=', '')}`;
}

/** The result in a fragment; undefined if it holds none that could be ours. Anybody may have written it. */
export function resultIn(fragment: string): Result | undefined {
  const code = /^#r=([\w-]+)$/.exec(fragment)?.[1];
  if (code === undefined || code.length > LONGEST) return undefined;
  try {
    const text = atob(code.replaceAll('-', '+').replaceAll('_', '/'));
    const bytes = Uint8Array.from(text, (c) => c.charCodeAt(0));
    return result(JSON.parse(new TextDecoder('utf-8', { fatal: true }).decode(bytes)));
  } catch {
    return undefined; // no base64, no UTF-8, no JSON, or not what we write
  }
}

function result(fields: unknown): Result {
  const [version, at, browser, camera, mic, speakers, paths] = list(fields, 7);
  if (version !== VERSION) throw new Error('another version');
  const [udp, tcp, relay] = list(paths, TRANSPORTS.length);
  return {
    at: number(at, 0, 1e11) * 1000,
    browser: name(browser),
    camera: word(DEVICE_STATES, camera), mic: word(DEVICE_STATES, mic), speakers: word(SPEAKER_STATES, speakers),
    udp: path(udp), tcp: path(tcp), relay: path(relay),
  };
}

function path(fields: unknown): Path {
  const [state, stage, connect, rtt, lossUp, lossDown, via] = list(fields, 7);
  return {
    state: word(PATH_STATES, state), stage: word(STAGES, stage), connect: number(connect, 0, 60_000), rtt: number(rtt, -1, 60_000),
    lossUp: number(lossUp, 0, 100), lossDown: number(lossDown, 0, 100), via: word(VIAS, via),
  };
}

function list(value: unknown, length: number): unknown[] {
  if (!Array.isArray(value) || value.length !== length) throw new Error('not a list of that length');
  return value;
}

function number(value: unknown, least: number, most: number): number {
  if (typeof value !== 'number' || !(value >= least && value <= most)) throw new Error('not a number of that range');
  return value;
}

function word<T>(words: readonly T[], index: unknown): T {
  const found = words[number(index, 0, words.length - 1)];
  if (found === undefined) throw new Error('not an index');
  return found;
}

function name(value: unknown): string {
  if (typeof value !== 'string' || value.length > LONGEST_NAME) throw new Error('not a name');
  return value;
}
