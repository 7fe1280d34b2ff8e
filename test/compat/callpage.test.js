// The call page as people use it: two visitors of one room see each other, write, mute and leave.
import assert from 'node:assert/strict';
import { mkdir } from 'node:fs/promises';
import { after, before, test } from 'node:test';
import { fileURLToPath } from 'node:url';
import { startChromium } from '../lib/browser.js';
import { Server } from '../lib/server.js';
import { until } from '../lib/wait.js';

const server = new Server();
const shots = fileURLToPath(new URL('../out/call-page', import.meta.url));
const desktop = { width: 1280, height: 800 };
const phone = { width: 390, height: 844 };
let browser;

before(async () => {
  await mkdir(shots, { recursive: true });
  await server.start();
  browser = await startChromium({ devices: true });
});
after(async () => {
  await browser?.close();
  await server.close();
});

const by = (page, id) => page.locator(`[data-testid="${id}"]`);

/** Opens a room's lobby; the page fails the test if it logs an error. */
async function visit(room, name, viewport) {
  const { page, close } = await browser.open();
  const errors = [];
  page.on('pageerror', (e) => errors.push(String(e)));
  await page.setViewportSize(viewport);
  await page.goto(`${server.url}/call/${room}`);
  await by(page, 'name').fill(name);
  await by(page, 'preview').waitFor();
  return { page, errors, close, name };
}

async function enter(visitor) {
  await by(visitor.page, 'join').click();
  await by(visitor.page, 'call').waitFor();
}

/** Waits until a visitor sees moving pictures of this many others. */
async function seesOthers({ page, name }, others) {
  const tiles = page.locator('[data-testid="tile"][data-local="false"][data-media="playing"]');
  await until(`${name} sees ${others} others`, async () => await tiles.count() === others, { within: 15_000 });
  const times = () => tiles.locator('video').evaluateAll((all) => all.map((v) => [v.videoWidth > 0, v.currentTime]));
  const first = await times();
  await until(`${name}'s pictures move`, async () => (await times()).every(([wide, t], i) => wide && t > first[i][1]));
}

test('two visitors meet in a room, write, mute and leave', { timeout: 90_000 }, async () => {
  const ada = await visit('tea', 'Ada', desktop);
  const bo = await visit('tea', 'Bo', phone);
  await ada.page.screenshot({ path: `${shots}/lobby-desktop.png` });
  await bo.page.screenshot({ path: `${shots}/lobby-phone.png` });
  await enter(ada);
  await enter(bo);
  await Promise.all([seesOthers(ada, 1), seesOthers(bo, 1)]);

  await by(ada.page, 'chat').click();
  await by(ada.page, 'chat-input').fill('Is there cake?');
  await by(ada.page, 'chat-send').click();
  await by(bo.page, 'unread').waitFor();
  await by(bo.page, 'chat').click();
  await bo.page.getByText('Is there cake?').waitFor();
  await bo.page.getByLabel('Close the chat').click();

  await by(bo.page, 'mute').click();
  await ada.page.locator('[data-testid="tile"][data-local="false"] [data-testid="tile-muted"]').waitFor();
  await by(ada.page, 'chat').click();
  await ada.page.screenshot({ path: `${shots}/call-desktop.png` });
  await bo.page.screenshot({ path: `${shots}/call-phone.png` });

  await by(bo.page, 'leave').click();
  await by(bo.page, 'ended').waitFor();
  await until('Ada is alone', async () => await ada.page.locator('[data-testid="tile"][data-local="false"]').count() === 0);
  assert.deepEqual([...ada.errors, ...bo.errors], []);
  await Promise.all([ada.close(), bo.close()]);
});

test('KMS_28__PlaybackRules: every picture plays in place, by itself, and one sound per person is heard', { timeout: 60_000 }, async () => {
  const [ada, bo] = [await visit('nook', 'Ada', desktop), await visit('nook', 'Bo', phone)];
  const videos = (page) => page.locator('video').evaluateAll((all) => all.map((v) => ({
    inPlace: v.hasAttribute('playsinline'), byItself: v.autoplay, audible: !v.muted && (v.srcObject?.getAudioTracks().length ?? 0) > 0,
  })));
  for (const video of await videos(ada.page)) assert.deepEqual(video, { inPlace: true, byItself: true, audible: false }, 'the lobby is silent');
  await enter(ada);
  await enter(bo);
  await Promise.all([seesOthers(ada, 1), seesOthers(bo, 1)]);
  for (const { page } of [ada, bo]) {
    const all = await videos(page);
    assert.equal(all.length, 2);
    for (const video of all) assert.ok(video.inPlace && video.byItself, JSON.stringify(video));
    assert.deepEqual(all.map((v) => v.audible).sort(), [false, true], 'the other one is heard, oneself is not');
  }
  await Promise.all([ada.close(), bo.close()]);
});

test('three visitors and a shared screen', { timeout: 90_000 }, async () => {
  const all = [await visit('den', 'Ada', desktop), await visit('den', 'Bo', desktop), await visit('den', 'Cy', desktop)];
  for (const one of all) await enter(one);
  await Promise.all(all.map((one) => seesOthers(one, 2)));
  await all[0].page.screenshot({ path: `${shots}/call-three.png` });
  await by(all[1].page, 'share').click();
  await all[0].page.locator('[data-testid="tile"][data-kind="screen"][data-media="playing"]').waitFor();
  await all[0].page.screenshot({ path: `${shots}/call-screen.png` });
  assert.deepEqual(all.flatMap((one) => one.errors), []);
  await Promise.all(all.map((one) => one.close()));
});
