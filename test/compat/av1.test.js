// AV1 and G.711, where the session leaves the codec to the client: both ends say in their statistics that they use it.
import assert from 'node:assert/strict';
import { stage } from '../lib/stage.js';

const play = stage();

/** Makes the page's peer connections prefer codecs, by kind: {audio: 'audio/PCMU', video: 'video/AV1'}. */
const prefer = (wanted) => {
  const { createOffer } = RTCPeerConnection.prototype;
  RTCPeerConnection.prototype.createOffer = function (...args) {
    for (const transceiver of this.getTransceivers()) {
      const { kind } = transceiver.receiver.track;
      const is = (codec) => codec.mimeType.toLowerCase() === wanted[kind]?.toLowerCase();
      const all = RTCRtpReceiver.getCapabilities(kind).codecs;
      if (all.some(is)) transceiver.setCodecPreferences([...all.filter(is), ...all.filter((c) => !is(c))]);
    }
    return createOffer.apply(this, args);
  };
};

/** Joins with a page that prefers these codecs, and publishes. */
async function publisher(s, session, codecs, browser) {
  const person = await s.join(session, { browser });
  await person.evaluate(prefer, codecs);
  await person.publish();
  return person;
}

async function assertCodecs(viewer, other, codecs) {
  await viewer.seesAndHears(other);
  const { inbound } = await viewer.stats(other);
  const { outbound } = await other.call('published');
  for (const [end, used] of [[viewer, inbound], [other, outbound]]) {
    for (const [kind, codec] of Object.entries(codecs)) assert.equal(used[kind].codec, codec, `${kind} of ${end.name}`);
  }
}

for (const audio of ['audio/PCMU', 'audio/PCMA']) {
  play(`AV1 and ${audio} in Chromium, to clients that are offered and that offer, late ones too`, async (s) => {
    const session = await s.session({ forcedVideoCodec: 'NONE' });
    const codecs = { audio, video: 'video/AV1' };
    const offered = await s.join(session);
    const a = await publisher(s, session, codecs);
    await assertCodecs(offered, a, codecs);
    const late = await s.join(session, { sdk: '2.20.0' });
    await assertCodecs(late, a, codecs);
    await s.assertNever([a, offered, late], 'exception');
  });
}

play('AV1 and G.711 between Firefox and Chromium, both ways', async (s) => {
  const session = await s.session({ forcedVideoCodec: 'NONE' });
  const codecs = { audio: 'audio/PCMU', video: 'video/AV1' };
  const a = await publisher(s, session, codecs, 'firefox');
  const b = await publisher(s, session, codecs);
  await assertCodecs(b, a, codecs);
  await assertCodecs(a, b, codecs);
});
