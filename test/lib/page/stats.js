// What RTCPeerConnection.getStats says, in the few words the tests ask for.
'use strict';

async function connectionStats(pc) {
  const all = [...(await pc.getStats()).values()];
  const find = (id) => all.find((s) => s.id === id);
  const of = (type, kind) => all.find((s) => s.type === type && s.kind === kind);
  const transport = all.find((s) => s.type === 'transport' && (s.selectedCandidatePairId || s.dtlsState)) ?? {};
  const pair = find(transport.selectedCandidatePairId)
    ?? all.find((s) => s.type === 'candidate-pair' && (s.selected || (s.nominated && s.state === 'succeeded'))) ?? {};
  const candidate = (id) => {
    const { candidateType: type, protocol, address, port, relayProtocol, url } = find(id) ?? {};
    return { type, protocol, address, port, relayProtocol, url };
  };
  const inbound = (kind) => {
    const s = of('inbound-rtp', kind);
    return s && {
      codec: find(s.codecId)?.mimeType, packets: s.packetsReceived, lost: s.packetsLost, frames: s.framesDecoded ?? 0,
      keyFrames: s.keyFramesDecoded, nacks: s.nackCount, plis: s.pliCount, retransmitted: s.retransmittedPacketsReceived,
      freezes: s.freezeCount, jitter: s.jitter,
    };
  };
  const outbound = (kind) => {
    const s = of('outbound-rtp', kind);
    return s && {
      codec: find(s.codecId)?.mimeType, packets: s.packetsSent, frames: s.framesEncoded ?? 0, keyFrames: s.keyFramesEncoded,
      nacks: s.nackCount, plis: s.pliCount, retransmitted: s.retransmittedPacketsSent, bitrate: s.targetBitrate,
    };
  };
  return {
    state: pc.connectionState, ice: pc.iceConnectionState,
    srtp: transport.srtpCipher, dtls: transport.dtlsRole, tls: transport.tlsVersion,
    local: candidate(pair.localCandidateId), remote: candidate(pair.remoteCandidateId), rtt: pair.currentRoundTripTime,
    inbound: { audio: inbound('audio'), video: inbound('video') },
    outbound: { audio: outbound('audio'), video: outbound('video') },
  };
}
