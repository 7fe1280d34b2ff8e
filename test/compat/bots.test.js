// `tertulia bench join` puts bots into a session: an application's page sees their moving colour bars, and they receive it.
import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { stage } from '../lib/stage.js';
import { binary } from '../lib/server.js';
import { until } from '../lib/wait.js';

const play = stage();

// Where the bars are looked at, in 320×180, and what SMPTE says they are.
const bars = [[22, 'grey', [180, 180, 180]], [68, 'yellow', [180, 180, 16]], [250, 'red', [180, 16, 16]], [298, 'blue', [16, 16, 180]]];

/** What each playing video of a page shows, other than its own camera: the bars' pixels, and a hash of the clock. */
const looks = (person) => person.evaluate((at) => [...document.querySelectorAll('video')]
  .filter((v) => v.videoWidth === 320 && v.videoHeight === 180).map((v) => {
    const canvas = document.createElement('canvas');
    [canvas.width, canvas.height] = [320, 180];
    const ctx = canvas.getContext('2d', { willReadFrequently: true });
    ctx.drawImage(v, 0, 0);
    const clock = ctx.getImageData(110, 30, 100, 75).data.reduce((sum, b, i) => (sum * 31 + b * (i % 7)) % 1000003, 0);
    return { bars: at.map((x) => [...ctx.getImageData(x, 8, 1, 1).data.slice(0, 3)]), clock };
  }), bars.map(([x]) => x));

play('FAQ_02a__bots publish what a browser shows, and receive what it publishes', async (s) => {
  const session = await s.session();
  const person = await s.join(session);
  await person.publish();
  let told = '';
  const bots = spawn(binary, ['bench', 'join', '--session', session.sessionId, '--bots', '2', '--url', s.server.url, '--secret', s.server.secret]);
  for (const out of [bots.stdout, bots.stderr]) out.on('data', (text) => { told += text; });
  const ended = once(bots, 'exit');
  s.closing({ close: async () => { bots.kill('SIGKILL'); await ended; } });

  let first, now;
  await until('both bots are seen to move', async () => {
    now = await looks(person);
    if (now.length < 2) return false;
    first ??= now;
    return now.every((n, i) => n.clock !== first[i].clock);
  }, { within: 15_000, last: () => ({ now, told }) });
  for (const { bars: seen } of now) {
    bars.forEach(([, name, want], i) => want.forEach((w, c) => assert.ok(Math.abs(seen[i][c] - w) < 40, `${name} is ${seen[i]}, want ${want}`)));
  }
  await until('the bots receive the person and each other', () => told.includes('2 bots  4 of 4 streams arrive'), { within: 10_000, last: () => told });

  bots.kill('SIGINT');
  const [code] = await ended;
  assert.equal(code, 0, told);
}, { timeout: 60_000 });
