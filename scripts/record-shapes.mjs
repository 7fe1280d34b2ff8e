#!/usr/bin/env node
// Records what Chromium really sends, for internal/bench/load/shapes: record-shapes.mjs FOLDER [KBPS…]. It needs root,
// tcpdump, Chromium, scripts/npm test and bin/tertulia (or TERTULIA_BIN). An unmodified openvidu-browser publishes a fake camera
// (1280×720, 30/s, in motion) and microphone to the server on this machine; SRTP headers are not secret, so sizes, marker bits and
// send times are read off the loopback interface. One line a packet: µs since the start, bytes of RTP, marker.
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtemp, open, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { servePages } from '../test/lib/pages.js';
import { Participant } from '../test/lib/participant.js';
import { Server } from '../test/lib/server.js';
import { limited, pause, until } from '../test/lib/wait.js';
import { createRequire } from 'node:module';

const { chromium } = createRequire(new URL('../test/package.json', import.meta.url))('playwright-core');
const [folder, ...rates] = process.argv.slice(2);
const kbps = rates.length ? rates.map(Number) : [150, 400, 1000, 2000];
const settle = 10_000, length = 10_000; // ms
const tag = 16; // bytes AES-GCM adds to a packet

const scratch = await mkdtemp(join(tmpdir(), 'shapes-'));
const camera = join(scratch, 'camera.y4m');
await film(camera);
const server = new Server({ env: { OPENVIDU_STREAMS_VIDEO_MAX_RECV_BANDWIDTH: '0' } });
const pages = await servePages();
const browser = await chromium.launch({
  executablePath: process.env.CHROMIUM ?? '/usr/bin/chromium', headless: true, chromiumSandbox: false,
  args: ['--disable-gpu', '--disable-quic', '--no-first-run', '--disable-background-networking', '--autoplay-policy=no-user-gesture-required',
    '--use-fake-device-for-media-stream', `--use-file-for-fake-video-capture=${camera}`, '--use-fake-ui-for-media-stream'],
});
try {
  await server.start();
  const context = await browser.newContext({ ignoreHTTPSErrors: true });
  const page = await context.newPage();
  await page.addInitScript(() => {
    const Original = window.RTCPeerConnection;
    window.connections = [];
    window.RTCPeerConnection = class extends Original {
      constructor(...args) { super(...args); window.connections.push(this); }
    };
  });
  const person = new Participant(0, { page, close: () => context.close() }, 'recorded');
  await person.load(pages.origin, '2.32.2');
  const session = await server.client().createSession();
  await person.join((await session.createConnection()).token);
  await person.publish({ source: 'camera', width: 1280, height: 720, fps: 30 });
  await until('the transport is up', async () => (await person.call('published')).srtp, { within: 15_000 });
  for (const rate of kbps) {
    await page.evaluate(limit, rate * 1000);
    await pause(settle);
    const before = await page.evaluate(sending);
    const { video, audio } = await capture(new URL(server.url).port);
    const after = await page.evaluate(sending);
    console.log(rate, 'kbit/s:', JSON.stringify(after), `${(after.frames - before.frames) / (length / 1000)} frames/s`);
    await save(`burst-${rate}`, video, rate);
    if (rate === kbps.at(-1)) await save('audio', audio);
  }
} finally {
  await browser.close();
  await server.close();
  await pages.close();
  await rm(scratch, { recursive: true });
}

/** Films two seconds that can be repeated without a cut: waves that travel, under a camera's noise. The built-in fake camera is too
 * easy to code to reach 2 Mbit/s. */
async function film(path, width = 1280, height = 720, frames = 60) {
  const file = await open(path, 'w');
  await file.write(`YUV4MPEG2 W${width} H${height} F30:1 Ip A1:1 C420jpeg\n`);
  const noise = Uint8Array.from({ length: 2 * width * height }, () => Math.random() * 7);
  const y = Buffer.alloc(width * height), uv = Buffer.alloc(width * height / 2, 128);
  for (let frame = 0; frame < frames; frame++) {
    const turn = 2 * Math.PI * frame / frames;
    const across = Float64Array.from({ length: width }, (_, i) => 40 * Math.sin(i / 37 + turn) + 15 * Math.sin(i / 5 + 3 * turn));
    const down = Float64Array.from({ length: height }, (_, i) => 40 * Math.sin(i / 29 - turn) + 15 * Math.sin(i / 7 + 2 * turn));
    let from = Math.floor(Math.random() * width * height);
    for (let row = 0, at = 0; row < height; row++) {
      for (let column = 0; column < width; column++) y[at++] = 125 + across[column] + down[row] + noise[from++];
    }
    await file.write('FRAME\n');
    await file.write(y);
    await file.write(uv);
  }
  await file.close();
}

/** In the page: bounds the video. */
async function limit(bitrate) {
  for (const sender of window.connections.flatMap((c) => c.getSenders()).filter((s) => s.track?.kind === 'video')) {
    const parameters = sender.getParameters();
    parameters.encodings[0].maxBitrate = bitrate;
    await sender.setParameters(parameters);
  }
}

/** In the page: what the encoder makes now. */
async function sending() {
  for (const connection of window.connections) {
    for (const s of (await connection.getStats()).values()) {
      if (s.type === 'outbound-rtp' && s.kind === 'video') {
        return { width: s.frameWidth, height: s.frameHeight, frames: s.framesSent, limited: s.qualityLimitationReason, target: s.targetBitrate };
      }
    }
  }
  return undefined;
}

/** The packets of the two tracks that go to a port: [{at (ns), size, marker}]. */
async function capture(port) {
  const path = join(scratch, 'packets.pcap');
  const dump = spawn('tcpdump', ['-Z', 'root', '-i', 'lo', '-w', path, '-s', '96', '-B', '8192', '--time-stamp-precision=nano', '-n',
    `udp dst port ${port}`], { stdio: ['ignore', 'ignore', 'pipe'] });
  await once(dump.stderr, 'data'); // "listening on lo"
  await pause(length + 500);
  dump.kill('SIGINT');
  await limited(once(dump, 'exit'), 5000, 'tcpdump ends');
  const tracks = { video: [], audio: [] };
  for (const packet of rtp(await readFile(path))) tracks[{ 96: 'video', 111: 'audio' }[packet.type]]?.push(packet);
  return tracks;
}

/** The RTP packets in a pcap file of Ethernet frames with nanoseconds (the loopback interface has such). */
function* rtp(file) {
  if (file.readUInt32LE(0) !== 0xa1b23c4d || file.readUInt32LE(20) !== 1) throw new Error('not the pcap that was asked for');
  for (let at = 24; at + 16 <= file.length;) {
    const [seconds, nanos, kept, whole] = [0, 4, 8, 12].map((o) => file.readUInt32LE(at + o));
    const frame = file.subarray(at + 16, at + 16 + kept);
    at += 16 + kept;
    const ip = frame.subarray(14);
    const header = (ip[0] >> 4 === 6 ? 40 : (ip[0] & 15) * 4) + 8; // a browser prefers IPv6 where there is some
    const b = ip.subarray(header);
    if (b.length < 12 || b[0] >> 6 !== 2 || (b[1] >= 192 && b[1] <= 223)) continue;
    yield { at: BigInt(seconds) * 1_000_000_000n + BigInt(nanos), type: b[1] & 127, marker: b[1] >> 7, stamp: b.readUInt32BE(4), size: whole - 14 - header - tag };
  }
}

/** Writes whole frames only, the first at 0. */
async function save(name, packets, rate) {
  let first = 0;
  while (rate && first < packets.length && packets[first].stamp === packets[0].stamp) first++;
  let last = packets.length - 1;
  while (rate && last > first && !packets[last].marker) last--;
  const kept = packets.slice(first, last + 1);
  const lines = kept.map((p) => `${(p.at - kept[0].at) / 1000n} ${p.size} ${p.marker}`);
  await writeFile(join(folder, `${name}.txt`), `${lines.join('\n')}\n`);
  const seconds = Number(kept.at(-1).at - kept[0].at) / 1e9;
  const bytes = kept.reduce((n, p) => n + p.size, 0);
  console.log(`${name}: ${kept.length} packets, ${seconds.toFixed(2)} s, ${(bytes * 8 / seconds / 1000).toFixed(0)} kbit/s of RTP`);
  if (rate) describe(kept);
}

/** Prints how long a frame's burst takes and how sizes step inside it. */
function describe(packets) {
  const frames = new Map();
  for (const p of packets) frames.set(p.stamp, [...frames.get(p.stamp) ?? [], p]);
  const spans = [...frames.values()].filter((f) => f.length > 1).map((f) => Number(f.at(-1).at - f[0].at) / 1e6).sort((a, b) => a - b);
  const steps = new Map();
  for (const f of frames.values()) for (let i = 1; i < f.length; i++) {
    const step = f[i].size - f[i - 1].size;
    steps.set(step, (steps.get(step) ?? 0) + 1);
  }
  const q = (p) => spans[Math.min(spans.length - 1, Math.floor(p * spans.length))]?.toFixed(3);
  console.log(`  ${frames.size} frames, ${(packets.length / frames.size).toFixed(2)} packets each; span p50 ${q(0.5)} ms, p99 ${q(0.99)} ms; steps`,
    [...steps].sort((a, b) => b[1] - a[1]).slice(0, 8).map(([s, n]) => `${s > 0 ? '+' : ''}${s}: ${n}`).join(', '));
}
