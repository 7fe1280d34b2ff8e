// One transport by itself: a moving picture goes to the server and comes back on the same peer connection.

import { counts, iceServers, measured, offers, only, relays } from './path';
import { absent, failed, type Path, type Transport } from './result';
import { Refused, Signalling, within } from './signalling';

const CONNECT_WITHIN = 6000; // ms; the server calls a participant unreachable after 7 s without a check
const MEASURE_FOR = 3000; // ms
const CODEC_MISSING = 800; // OpenVidu's code: no codec that the session allows

/** Measures one transport with a token of its own. It never throws: what goes wrong is the result. */
export async function echo(transport: Transport, token: string, track: MediaStreamTrack): Promise<Path> {
  let signalling: Signalling | undefined;
  try {
    signalling = await Signalling.open(token);
    const joined = await signalling.ask('joinRoom', {
      token, session: new URL(token).searchParams.get('sessionId') ?? '', platform: 'Tertulia check', metadata: `{"clientData":"check ${transport}"}`,
      secret: '', recorder: false,
    });
    return await loop(transport, signalling, iceServers(joined), track);
  } catch (error) {
    return failed(error instanceof Refused && error.code === CODEC_MISSING ? 'codec' : 'signal');
  } finally {
    // The last one to leave ends the session.
    await signalling?.ask('leaveRoom', {}).catch(() => undefined);
    signalling?.close();
  }
}

async function loop(transport: Transport, signalling: Signalling, servers: RTCIceServer[], track: MediaStreamTrack): Promise<Path> {
  const through = transport === 'relay' ? relays(servers) : [];
  if (transport === 'relay' && through.length === 0) return absent;
  const pc = new RTCPeerConnection({ iceServers: through, iceTransportPolicy: transport === 'relay' ? 'relay' : 'all' });
  try {
    pc.addTransceiver(track, { direction: 'sendrecv', streams: [new MediaStream([track])] });
    await pc.setLocalDescription(await pc.createOffer());
    // Our candidates stay here: the server answers to where checks come from, and a transport that cannot work must
    // not look to it like a participant in need.
    const { sdpAnswer } = await signalling.ask('publishVideo', {
      sdpOffer: pc.localDescription!.sdp, doLoopback: true, hasAudio: false, hasVideo: true, audioActive: false,
      videoActive: true, typeOfVideo: 'CUSTOM', frameRate: 15, videoDimensions: '{"width":320,"height":180}',
    });
    const answer = only(transport, String(sdpAnswer));
    if (!offers(answer)) return absent;
    const began = performance.now();
    await pc.setRemoteDescription({ type: 'answer', sdp: answer });
    const via = viaOf(through);
    const broken = await connected(pc);
    if (broken) return failed(broken, via);
    const connect = performance.now() - began;
    const first = counts((await pc.getStats()).values());
    await new Promise((done) => setTimeout(done, MEASURE_FOR));
    const path = measured(first, counts((await pc.getStats()).values()), connect);
    return { ...path, via: path.via || via };
  } finally {
    pc.close();
  }
}

/** How a relay will be reached, for one that never is. */
function viaOf(through: readonly RTCIceServer[]): Path['via'] {
  const url = String([through[0]?.urls ?? ''].flat()[0]);
  if (url === '') return '';
  return url.startsWith('turns:') ? 'tls' : url.includes('transport=tcp') ? 'tcp' : 'udp';
}

/** Waits for the connection; says how far it came if it does not come. */
async function connected(pc: RTCPeerConnection): Promise<'' | 'ice' | 'dtls'> {
  let reached = false;
  try {
    await within<void>(CONNECT_WITHIN, (done, fail) => {
      const look = () => {
        reached ||= pc.iceConnectionState === 'connected' || pc.iceConnectionState === 'completed';
        if (pc.connectionState === 'connected') done();
        if (pc.connectionState === 'failed') fail(new Error('the connection failed'));
      };
      pc.addEventListener('connectionstatechange', look);
      pc.addEventListener('iceconnectionstatechange', look);
    });
    return '';
  } catch {
    return reached ? 'dtls' : 'ice';
  }
}
