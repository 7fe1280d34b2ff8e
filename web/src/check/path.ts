// Which ways an answer of the server may be reached, and how a peer connection says what it did.

import type { Path, Transport } from './result';

/** The answer with the candidates of one transport only. A relay talks UDP to the server, whatever we talk to the relay. */
export function only(transport: Transport, answer: string): string {
  const wanted = transport === 'tcp' ? 'tcp' : 'udp';
  return answer
    .split('\r\n')
    .filter((line) => !line.startsWith('a=candidate:') || line.split(' ')[2]?.toLowerCase() === wanted)
    .join('\r\n');
}

export const offers = (answer: string): boolean => /^a=candidate:/m.test(answer);

/** The relays that are reached by TCP or TLS: they pass where UDP does not. Where there is none, those that there are. */
export function relays(servers: readonly RTCIceServer[]): RTCIceServer[] {
  const only = (wanted: RegExp) =>
    servers.flatMap((s) => {
      const urls = [s.urls].flat().filter((url) => wanted.test(url));
      return urls.length ? [{ ...s, urls }] : [];
    });
  const tcp = only(/^turns:|^turn:.*[?&]transport=tcp/i);
  return tcp.length ? tcp : only(/^turn:/i);
}

/** The fields of joinRoom's answer that name ICE servers, new form and old (spec §7). */
export function iceServers(joined: Record<string, unknown>): RTCIceServer[] {
  const listed = joined['customIceServers'];
  if (!Array.isArray(listed)) return [];
  return listed.flatMap((s: unknown) => {
    const { url, username, credential } = (s ?? {}) as Record<string, unknown>;
    return typeof url === 'string' ? [{ urls: url, username: String(username ?? ''), credential: String(credential ?? '') }] : [];
  });
}

/** What RTCPeerConnection.getStats knew at one moment of what we ask. Times in seconds, counts of packets. */
export interface Counts {
  pair: string; // the candidate pair in use, whose are the next three
  roundTrips: number;
  checks: number;
  rtt: number; // the latest; -1 unknown
  sent: number; // those sent again included, as in the next but one
  lostUp: number;
  resent: number;
  received: number;
  lostDown: number;
  repaired: number; // received only when sent again
  via: Path['via'];
}

type Stat = Record<string, unknown> & { id: string; type: string };

export function counts(report: Iterable<Stat>): Counts {
  const all = [...report];
  const number = (s: Stat | undefined, field: string): number => (typeof s?.[field] === 'number' ? s[field] : 0);
  const of = (type: string) => all.find((s) => s.type === type && (s['kind'] ?? 'video') === 'video');
  const chosen = all.find((s) => s.type === 'transport' && s['selectedCandidatePairId'])?.['selectedCandidatePairId'];
  const pair = all.find((s) => s.type === 'candidate-pair' && (chosen ? s.id === chosen : s['nominated'] && s['state'] === 'succeeded'));
  const local = all.find((s) => s.id === pair?.['localCandidateId']);
  const heard = of('remote-inbound-rtp');
  const latest = pair?.['currentRoundTripTime'] ?? heard?.['roundTripTime'];
  const relay = local?.['candidateType'] === 'relay' ? local['relayProtocol'] : '';
  return {
    pair: pair?.id ?? '',
    roundTrips: number(pair, 'totalRoundTripTime'),
    checks: number(pair, 'responsesReceived'),
    rtt: typeof latest === 'number' ? latest : -1,
    sent: number(of('outbound-rtp'), 'packetsSent'),
    lostUp: number(heard, 'packetsLost'),
    resent: number(of('outbound-rtp'), 'retransmittedPacketsSent'),
    received: number(of('inbound-rtp'), 'packetsReceived'),
    lostDown: number(of('inbound-rtp'), 'packetsLost'),
    repaired: number(of('inbound-rtp'), 'retransmittedPacketsReceived'),
    via: relay === 'tls' || relay === 'tcp' || relay === 'udp' ? relay : '',
  };
}

/** What lies between two looks. What was lost on its way up may be missing on its way down too: that is told apart. */
export function measured(before: Counts, after: Counts, connect: number): Path {
  const received = after.received - before.received;
  if (received <= 0) return { state: 'fail', stage: 'media', connect, rtt: -1, lossUp: 0, lossDown: 0, via: after.via };
  const [checks, roundTrips] = before.pair === after.pair ? [before.checks, before.roundTrips] : [0, 0]; // it may change its mind
  const rtt = after.checks > checks ? (after.roundTrips - roundTrips) / (after.checks - checks) : after.rtt;
  // What was asked for and sent again was lost once, whether or not the reports still count it.
  const sent = after.sent - before.sent;
  const lossUp = Math.max(share(after.lostUp - before.lostUp, sent), share(after.resent - before.resent, sent));
  const lost = after.lostDown - before.lostDown;
  const missing = Math.max(share(lost, received + lost), share(after.repaired - before.repaired, received));
  return {
    state: 'ok', stage: '', connect: Math.round(connect), rtt: rtt < 0 ? -1 : Math.round(rtt * 1000),
    lossUp, lossDown: Math.max(0, tenth(missing - lossUp)), via: after.via,
  };
}

function share(part: number, whole: number): number {
  return whole > 0 ? Math.min(100, Math.max(0, tenth((100 * part) / whole))) : 0;
}

const tenth = (n: number) => Math.round(n * 10) / 10;
