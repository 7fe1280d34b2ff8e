import { describe, expect, test } from 'vitest';
import { counts, iceServers, measured, offers, only, relays } from '../src/check/path';

const ANSWER = [
  'v=0', 'a=ice-lite', 'm=video 9 UDP/TLS/RTP/SAVPF 96',
  'a=candidate:1 1 udp 2130706431 192.0.2.1 4443 typ host',
  'a=candidate:2 1 UDP 2130706175 2001:db8::1 4443 typ host',
  'a=candidate:3 1 tcp 1526726655 192.0.2.1 4443 typ host tcptype passive',
  'a=end-of-candidates', 'a=mid:0', '',
].join('\r\n');
const lines = (text: string) => text.split('\r\n').filter((l) => l.startsWith('a=candidate')).map((l) => l.slice(12, 13));

describe('only', () => {
  test.each([['udp', ['1', '2']], ['tcp', ['3']], ['relay', ['1', '2']]] as const)('%s keeps the candidates it can use', (transport, kept) => {
    expect(lines(only(transport, ANSWER))).toEqual(kept);
  });

  test('all other lines stay as they are, in their order', () => {
    const rest = (text: string) => text.split('\r\n').filter((l) => !l.startsWith('a=candidate'));
    expect(rest(only('tcp', ANSWER))).toEqual(rest(ANSWER));
  });

  test('an answer without the transport offers nothing', () => {
    const udpOnly = only('udp', ANSWER);
    expect([offers(ANSWER), offers(udpOnly), offers(only('tcp', udpOnly))]).toEqual([true, true, false]);
  });
});

describe('ICE servers', () => {
  const listed = iceServers({ customIceServers: [
    { url: 'turn:a:4443?transport=tcp', username: 'u', credential: 'c' }, { url: 'turns:b:443', username: 'u', credential: 'c' },
    { url: 'turn:c:3478', username: 'u', credential: 'c' }, { url: 'turn:d:3478?transport=udp' }, { url: 'stun:e' }, { no: 'url' }, null,
  ] });

  test('are those joinRoom names, foreign shapes left out', () => {
    expect(listed.map((s) => s.urls)).toEqual(['turn:a:4443?transport=tcp', 'turns:b:443', 'turn:c:3478', 'turn:d:3478?transport=udp', 'stun:e']);
    expect(listed[0]).toMatchObject({ username: 'u', credential: 'c' });
    for (const none of [{}, { customIceServers: null }, { customIceServers: 'turn:a' }]) expect(iceServers(none)).toEqual([]);
  });

  test('a relay is reached by TCP or TLS where it can be', () => {
    expect(relays(listed).flatMap((s) => s.urls)).toEqual(['turn:a:4443?transport=tcp', 'turns:b:443']);
    expect(relays(listed.slice(2)).flatMap((s) => s.urls)).toEqual(['turn:c:3478', 'turn:d:3478?transport=udp']);
    expect(relays([{ urls: 'stun:e' }])).toEqual([]);
  });
});

const pair = (extra: object) => ({
  id: 'P', type: 'candidate-pair', nominated: true, state: 'succeeded', localCandidateId: 'L', totalRoundTripTime: 0.4, responsesReceived: 8,
  currentRoundTripTime: 0.05, ...extra,
});
const report = (...stats: object[]) => stats as { id: string; type: string }[];

describe('counts', () => {
  test('are those of the pair in use', () => {
    const found = counts(report(
      { id: 'T', type: 'transport', selectedCandidatePairId: 'P' }, pair({ id: 'Q', totalRoundTripTime: 9 }), pair({}),
      { id: 'L', type: 'local-candidate', candidateType: 'relay', relayProtocol: 'tls' },
      { id: 'O', type: 'outbound-rtp', kind: 'video', packetsSent: 90, retransmittedPacketsSent: 4 }, { id: 'R', type: 'remote-inbound-rtp', kind: 'video', packetsLost: 3 },
      { id: 'I', type: 'inbound-rtp', kind: 'video', packetsReceived: 80, packetsLost: 5, retransmittedPacketsReceived: 2 }, { id: 'A', type: 'inbound-rtp', kind: 'audio', packetsReceived: 7 },
    ));
    expect(found).toEqual({ pair: 'P', roundTrips: 0.4, checks: 8, rtt: 0.05, sent: 90, lostUp: 3, resent: 4, received: 80, lostDown: 5, repaired: 2, via: 'tls' });
  });

  test('a browser without a transport says which pair it has nominated', () => {
    expect(counts(report(pair({ id: 'X', nominated: false, totalRoundTripTime: 9 }), pair({}))).roundTrips).toBe(0.4);
  });

  test('a browser that measures no pair measures its reports', () => {
    expect(counts(report({ id: 'R', type: 'remote-inbound-rtp', kind: 'video', roundTripTime: 0.2 })).rtt).toBe(0.2);
    expect(counts(report()).rtt).toBe(-1);
  });
});

describe('measured', () => {
  const none = { pair: 'P', roundTrips: 1, checks: 10, rtt: 0.1, sent: 100, lostUp: 0, resent: 0, received: 100, lostDown: 0, repaired: 0, via: '' as const };

  test('takes what lies between the looks', () => {
    const path = measured(none, { ...none, roundTrips: 1.06, checks: 12, sent: 200, received: 190, lostDown: 10 }, 123.6);
    expect(path).toEqual({ state: 'ok', stage: '', connect: 124, rtt: 30, lossUp: 0, lossDown: 10, via: '' });
  });

  test('what is lost on the way up is not lost on the way down once more', () => {
    const path = measured(none, { ...none, sent: 200, lostUp: 20, received: 180, lostDown: 20 }, 1);
    expect([path.lossUp, path.lossDown]).toEqual([20, 0]);
  });

  test('what was mended was lost all the same', () => {
    const up = measured(none, { ...none, sent: 200, resent: 25, received: 200 }, 1);
    expect([up.lossUp, up.lossDown]).toEqual([25, 0]);
    const down = measured(none, { ...none, sent: 200, received: 200, repaired: 30 }, 1);
    expect([down.lossUp, down.lossDown]).toEqual([0, 30]);
  });

  test('without a new check the latest one counts; without any, nothing is known', () => {
    expect(measured(none, { ...none, received: 101 }, 1).rtt).toBe(100);
    expect(measured({ ...none, rtt: -1 }, { ...none, rtt: -1, received: 101 }, 1).rtt).toBe(-1);
  });

  test('a pair that took over in between is measured from its beginning', () => {
    const path = measured(none, { ...none, pair: 'Q', roundTrips: 0.08, checks: 4, received: 101 }, 1);
    expect(path.rtt).toBe(20);
  });

  test('a connection that brings no picture back has failed', () => {
    expect(measured(none, { ...none, sent: 200 }, 1)).toMatchObject({ state: 'fail', stage: 'media' });
  });

  test('late packets make no negative loss', () => {
    expect(measured({ ...none, lostDown: 5, lostUp: 5 }, { ...none, sent: 200, received: 200 }, 1)).toMatchObject({ lossUp: 0, lossDown: 0 });
  });
});
