// long: openvidu-angular 2.32.1 as published, in an application that is built here: two people in its videoconference.
import assert from 'node:assert/strict';
import { readFile } from 'node:fs/promises';
import { before } from 'node:test';
import { buildAngular, serveFolder } from '../lib/angular.js';
import { startChromium } from '../lib/browser.js';
import { stage } from '../lib/stage.js';
import { until } from '../lib/wait.js';

let folder;
before(async () => { folder = await buildAngular(); }, { timeout: 900_000 });
const play = stage();

/** Runs before the application: its camera and microphone are the pattern of a participant. */
const camera = (number) => `
  navigator.mediaDevices.getUserMedia = async ({ audio, video }) => new MediaStream([
    ...(audio ? [pattern.audio(${number})] : []),
    ...(video ? [pattern.video(${number}, { width: 640, height: 480, fps: 10 })] : []),
  ]);`;

/** What a page shows and lets hear, of each of its videos: [{who, counter, luma, tone}]. */
const views = (page) => page.evaluate(() => [...document.querySelectorAll('video')].map((video) => {
  if (video.srcObject?.getAudioTracks().length) video.ear ??= pattern.ear(video.srcObject);
  return { ...pattern.look(video), tone: video.ear?.listen().who ?? -1 };
}));

/** Waits until a page shows another's picture, moving, and lets its tone be heard. */
async function seesAndHears(page, number) {
  let now, first;
  await until(`participant ${number} is seen and heard`, async () => {
    now = await views(page);
    const other = now.find((v) => v.who === number && v.counter >= 0 && v.tone === number);
    first ??= other;
    return other && other.counter !== first.counter;
  }, { within: 30_000, last: () => now });
}

play('LOSS_03__openvidu-angular 2.32.1: two people see and hear each other, switch the camera off and on, and leave', async (s) => {
  const site = s.closing(await serveFolder(folder));
  const browser = s.closing(await startChromium({ devices: true }));
  const script = await readFile(new URL('../lib/page/pattern.js', import.meta.url), 'utf8');
  const session = await s.session();
  const [a, b] = await Promise.all([0, 1].map(async (number) => {
    const { page } = await browser.open();
    page.on('pageerror', (e) => { page.trouble = `${page.trouble ?? ''}${e.message}\n`; });
    await page.addInitScript(`${script};window.pattern = pattern;${camera(number)}`);
    const tokens = { webcam: await s.token(session), screen: await s.token(session) };
    await page.goto(`${site.origin}/?name=P${number}#${encodeURIComponent(JSON.stringify(tokens))}`);
    return page;
  }));
  await Promise.all([seesAndHears(a, 1), seesAndHears(b, 0)]).catch((e) => { throw new Error(`${e.message}\n${a.trouble}\n${b.trouble}`); });

  await a.locator('#camera-btn').click(); // the library lets go of the camera: the last picture stands still
  let now, before, still = 0;
  await until('the other camera is off', async () => {
    now = (await views(b)).find((v) => v.tone === 0);
    still = now && now.counter === before ? still + 1 : 0;
    before = now?.counter;
    return still >= 10;
  }, { last: () => now });
  await session.fetch();
  const camerasOff = () => session.activeConnections.flatMap((c) => c.publishers).filter((p) => p.videoActive === false).length;
  assert.equal(camerasOff(), 1);
  await a.locator('#camera-btn').click();
  await seesAndHears(b, 0);
  await session.fetch();
  assert.equal(camerasOff(), 0);

  const people = session.activeConnections.length;
  await a.locator('#leave-btn').click();
  await until('the other has gone', async () => !(await views(b)).some((v) => v.who === 0));
  await until('REST knows of it', async () => {
    await session.fetch();
    return session.activeConnections.length < people && session.activeConnections.every((c) => !c.clientData.includes('P0'));
  });
  assert.deepEqual(s.server.complaints(), []);
}, { timeout: 120_000 });
