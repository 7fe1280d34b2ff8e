// Offers without a common video codec: the answer is one a browser can parse, and audio flows (promise KMS-16).
import assert from 'node:assert/strict';
import { stage } from '../lib/stage.js';
import { until } from '../lib/wait.js';

const play = stage();

/** Leaves only H.264 in the video section of what the page offers to publish; Firefox, which has none, calls its VP8 so. */
const offerOnlyH264 = () => {
  trace.outgoing = (message) => {
    if (message.method !== 'publishVideo') return message;
    const offer = message.params.sdpOffer;
    const start = offer.indexOf('m=video');
    const end = offer.indexOf('\r\nm=', start);
    let video = offer.slice(start, end < 0 ? undefined : end);
    if (!video.includes('H264/90000')) video = video.replaceAll('VP8/90000', 'H264/90000');
    const keep = [...video.matchAll(/a=rtpmap:(\d+) H264\/90000/g)].map((m) => m[1]);
    video = video.replace(/^(m=video \d+ \S+) .*$/m, `$1 ${keep.join(' ')}`).split('\r\n')
      .filter((line) => !/^a=(rtpmap|fmtp|rtcp-fb):\d+/.test(line) || keep.includes(/:(\d+)/.exec(line)[1])).join('\r\n');
    message.params.sdpOffer = offer.slice(0, start) + video + (end < 0 ? '' : offer.slice(end));
    return message;
  };
};

for (const browser of ['chromium', 'firefox']) {
  play(`KMS_16__H264OfferedVP8Allowed in ${browser}: the answer parses and audio flows`, async (s) => {
    const session = await s.session(); // prefers VP8; a codec forced by name is error 800 instead
    const b = await s.join(session);
    const a = await s.join(session, { browser });
    await a.evaluate(offerOnlyH264);
    await a.publish();
    await b.hears(a);
    const answer = await a.call('answer');
    const video = answer.split('\r\nm=').find((m) => m.startsWith('video')) ?? '';
    assert.match(video, /^video \d+ \S+ \d+/, `the video section lists a format:\n${answer}`);
    await until('audio is sent', async () => (await a.call('published')).outbound.audio.packets > 10);
    await s.assertNever([a, b], 'exception');
  });
}

play('VP9 and H264 sessions give what they force', async (s) => {
  for (const codec of ['VP9', 'H264']) {
    const session = await s.session({ forcedVideoCodec: codec });
    const a = await s.join(session);
    const b = await s.join(session);
    await a.publish();
    await b.seesAndHears(a);
    assert.equal((await b.stats(a)).inbound.video.codec, `video/${codec}`);
  }
});
