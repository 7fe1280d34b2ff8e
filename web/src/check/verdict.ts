// What a result means, for the person in front of the screen. Pure; the codes are those of the server's catalogue
// (internal/diagnosis), whose own words are for operators.

import { deviceWords } from '../lib/words';
import { TRANSPORTS, type DeviceState, type Path, type Result, type Transport } from './result';

/** ok: calls work. limited: something does not, calls do. failed: no call is possible. */
export type Outcome = 'ok' | 'limited' | 'failed';

export interface Finding {
  outcome: Outcome;
  code: string; // of the catalogue; '' where it has none
  title: string;
  text: string; // why, and what to do
}

const RANK: Record<Outcome, number> = { failed: 0, limited: 1, ok: 2 };
const LOSSY = 5; // percent: pictures begin to break
const SLOW = 400; // ms there and back: people begin to interrupt each other

/** The findings, worst first; the first one is the verdict. */
export function judge(result: Result): [Finding, ...Finding[]] {
  const found = [...network(result), ...devices(result)];
  const sorted = found.sort((a, b) => RANK[a.outcome] - RANK[b.outcome]);
  const [first, ...others] = sorted;
  return first ? [first, ...others] : [{ outcome: 'ok', code: '', title: 'Everything works', text: 'You are ready for a call.' }];
}

function network(result: Result): Finding[] {
  const paths = TRANSPORTS.map((t) => result[t]);
  const working = TRANSPORTS.filter((t) => result[t].state === 'ok');
  const best = working[0];
  if (best === undefined) return [unreachable(paths)];
  return [...blockedUDP(result, best), ...quality(result[best])];
}

function unreachable(paths: readonly Path[]): Finding {
  const stages = paths.filter((p) => p.state === 'fail').map((p) => p.stage);
  const failed = (code: string, title: string, text: string): Finding => ({ outcome: 'failed', code, title, text });
  if (stages.includes('refused')) {
    return failed('', 'The server did not allow the check', 'It admits visitors of its own network only, or too many came at once. Nothing was measured.');
  }
  if (stages.every((s) => s === 'signal')) {
    return failed('', 'The server does not answer',
      'This page came, but the connection for calls did not open. A proxy or security software may block websockets (wss). ' +
      'If your browser warned you of this server’s certificate, accept it once on the page below, then check again.');
  }
  if (stages.includes('codec')) {
    return failed('CODEC_MISMATCH', 'This browser has no video format that the server allows',
      'Sound may still work. Use a current Chrome, Edge, Firefox or Safari.');
  }
  if (stages.includes('dtls') || stages.includes('media')) {
    return failed('DTLS_BLOCKED', 'The server is reached, but media is stopped on the way',
      'A firewall, VPN or security software lets the first packets pass and drops what follows. Switch it off for this site, or try another network.');
  }
  return failed('NET_UNREACHABLE', 'No way for sound and pictures to the server',
    'Pages load, but your network, or the server’s firewall, blocks everything that carries a call: UDP, TCP and the relay. ' +
    'Try another network, such as a phone’s hotspot, or send the link of this result to whoever runs the server.');
}

/** What a call takes when it cannot have UDP; only the best way is named. */
function blockedUDP(result: Result, best: Transport): Finding[] {
  if (best === 'udp') return [];
  const way = best === 'tcp' ? 'TCP' : 'a relay';
  return [{
    outcome: 'ok', code: 'CLIENT_UDP_BLOCKED', title: `Calls work here, over ${way}`,
    text: result.udp.state === 'off' ? 'This server offers no UDP.'
      : 'UDP, the fast lane for sound and pictures, is blocked in your network or at the server. Nothing must be done; on a poor line, another network may be smoother.',
  }];
}

function quality({ lossUp, lossDown, rtt }: Path): Finding[] {
  const found: Finding[] = [];
  const advice = 'Come closer to the Wi-Fi, use a cable, or close what else uses the line.';
  if (lossUp >= LOSSY) {
    found.push({ outcome: 'limited', code: 'LOSS_UPLINK', title: `${lossUp} % of what you send is lost`, text: `The others may see and hear you badly. ${advice}` });
  }
  if (lossDown >= LOSSY) {
    found.push({ outcome: 'limited', code: 'LOSS_DOWNLINK', title: `${lossDown} % of what you receive is lost`, text: `You may see and hear the others badly. ${advice}` });
  }
  if (rtt >= SLOW) {
    found.push({ outcome: 'limited', code: '', title: `The line is slow: ${rtt} ms there and back`, text: `You may interrupt each other without wanting to. ${advice}` });
  }
  return found;
}

const DEVICE_CODES: Partial<Record<DeviceState, string>> = { busy: 'CAMERA_BUSY', insecure: 'INSECURE_ORIGIN' };
const DEVICE_TITLES: Record<Exclude<DeviceState, 'ok' | 'waiting'>, string> = {
  silent: 'delivers nothing',
  denied: 'is not allowed',
  busy: 'is in use by another program',
  missing: 'was not found',
  insecure: 'cannot be used by an insecure page',
  failed: 'did not start',
};

function devices({ camera, mic, speakers }: Result): Finding[] {
  const found = [...device('camera', camera), ...device('microphone', mic)];
  if (speakers === 'silent') {
    found.push({
      outcome: 'limited', code: '', title: 'The speakers were not heard',
      text: 'Turn the volume up, and see which speakers or headphones the system uses.',
    });
  }
  return found;
}

function device(kind: 'camera' | 'microphone', state: DeviceState): Finding[] {
  if (state === 'ok' || state === 'waiting') return [];
  const silence = kind === 'camera' ? 'Its picture does not move: open its cover, or choose another one.'
    : 'Nothing was heard. Speak to it; see that it is not muted at the headset or in the system, or choose another one.';
  return [{
    outcome: 'limited', code: DEVICE_CODES[state] ?? '', title: `The ${kind} ${DEVICE_TITLES[state]}`,
    text: state === 'silent' ? silence : deviceWords(kind, state),
  }];
}
