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

/** The relays that are reached by TCP: by UDP there is nothing a relay could pass that the server itself cannot. */
export function overTCP(servers: readonly RTCIceServer[]): RTCIceServer[] {
  const tcp = (url: string) => /^turns:|^turn:.*[?&]transport=tcp/i.test(url);
  return servers.flatMap((s) => {
    const urls = [s.urls].flat().filter(tcp);
    return urls.length ? [{ ...s, urls }] : [];
  });
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
  roundTrips: number;
  checks: number;
  rtt: number; // the latest; -1 unknown
  sent: number;
  lostUp: number;
  received: number;
  lostDown: number;
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
    roundTrips: number(pair, 'totalRoundTripTime'),
    checks: number(pair, 'responsesReceived'),
    rtt: typeof latest === 'number' ? latest : -1,
    sent: number(of('outbound-rtp'), 'packetsSent'),
    lostUp: number(heard, 'packetsLost'),
    received: number(of('inbound-rtp'), 'packetsReceived'),
    lostDown: number(of('inbound-rtp'), 'packetsLost'),
    via: relay === 'tls' || relay === 'tcp' || relay === 'udp' ? relay : '',
  };
}

/** What lies between two looks. What was lost on its way up is missing on its way down too: that is told apart. */
export function measured(before: Counts, after: Counts, connect: number): Path {
  const received = after.received - before.received;
  if (received <= 0) return { state: 'fail', stage: 'media', connect, rtt: -1, lossUp: 0, lossDown: 0, via: after.via };
  const checks = after.checks - before.checks;
  const rtt = checks > 0 ? (after.roundTrips - before.roundTrips) / checks : after.rtt;
  const lossUp = share(after.lostUp - before.lostUp, after.sent - before.sent);
  const missing = share(after.lostDown - before.lostDown, received + after.lostDown - before.lostDown);
  return {
    state: 'ok', stage: '', connect: Math.round(connect), rtt: rtt < 0 ? -1 : Math.round(rtt * 1000),
    lossUp, lossDown: Math.max(0, tenth(missing - lossUp)), via: after.via,
  };
}

function share(part: number, whole: number): number {
  return whole > 0 ? Math.min(100, Math.max(0, tenth((100 * part) / whole))) : 0;
}

const tenth = (n: number) => Math.round(n * 10) / 10;
