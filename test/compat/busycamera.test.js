// A camera that another program holds: the call goes on with sound, says why, and offers a picture that needs no camera.
import assert from 'node:assert/strict';
import { mkdir } from 'node:fs/promises';
import { after, before, test } from 'node:test';
import { fileURLToPath } from 'node:url';
import { startChromium } from '../lib/browser.js';
import { by, openCheck, runCheck } from '../lib/checkpage.js';
import { Server } from '../lib/server.js';
import { until } from '../lib/wait.js';

const server = new Server();
const shots = fileURLToPath(new URL('../out/test-page', import.meta.url));
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

/** Lets the page meet a camera that is taken, as Windows reports it; the microphone is free. */
const takeCamera = (page) => page.addInitScript(() => {
  const open = navigator.mediaDevices.getUserMedia.bind(navigator.mediaDevices);
  navigator.mediaDevices.getUserMedia = (wanted) => wanted.video
    ? Promise.reject(new DOMException('Could not start video source', 'NotReadableError')) : open(wanted);
});

async function visit(name, prepare = () => {}) {
  const { page, close } = await browser.open();
  await prepare(page);
  await page.goto(`${server.url}/call/busy`);
  await by(page, 'name').fill(name);
  return { page, close };
}

async function enter({ page }) {
  await by(page, 'join').click();
  await by(page, 'call').waitFor();
}

const others = (page) => page.locator('[data-testid="tile"][data-local="false"]');

/** The loudest that a page hears of the other within half a second. */
const loudness = (page) => others(page).locator('video').evaluate(async (video) => {
  const audio = new AudioContext();
  const analyser = audio.createAnalyser();
  audio.createMediaStreamSource(video.srcObject).connect(analyser);
  const samples = new Float32Array(analyser.fftSize);
  let loudest = 0;
  for (const end = performance.now() + 500; performance.now() < end;) {
    analyser.getFloatTimeDomainData(samples);
    loudest = Math.max(loudest, ...samples.map(Math.abs));
    await new Promise((drawn) => { requestAnimationFrame(drawn); });
  }
  await audio.close();
  return loudest;
});

/** How much the other's picture changes in half a second, 0 to 255 per colour; -1 without a picture. */
const change = (page) => others(page).locator('video').evaluate(async (video) => {
  if (!video.videoWidth) return -1;
  const canvas = Object.assign(document.createElement('canvas'), { width: 64, height: 36 });
  const pen = canvas.getContext('2d', { willReadFrequently: true });
  const look = () => {
    pen.drawImage(video, 0, 0, 64, 36);
    return pen.getImageData(0, 0, 64, 36).data;
  };
  const before = look();
  for (const end = performance.now() + 500; performance.now() < end;) await new Promise((drawn) => { requestAnimationFrame(drawn); });
  return look().reduce((sum, value, i) => sum + Math.abs(value - before[i]), 0) / before.length;
});

async function connections() {
  return (await (await server.get('/openvidu/api/sessions/busy')).json()).connections.content;
}

async function streams() {
  return (await connections()).flatMap((c) => c.publishers.map((p) => p.mediaOptions));
}

/** What the server says is wrong with a participant. */
async function diagnosis(name) {
  const { id } = (await connections()).find((c) => c.clientData?.includes(`"${name}"`));
  const { content } = await (await server.get(`/openvidu/api/sessions/busy/connection/${id}/diagnosis`)).json();
  return content;
}

test('FAQ_01b__BusyCamera joins with sound only, is heard, says why, and can send a drawn picture', { timeout: 90_000 }, async () => {
  const ada = await visit('Ada', takeCamera);
  const trouble = by(ada.page, 'device-trouble');
  await trouble.waitFor();
  assert.equal(await trouble.getAttribute('data-code'), 'CAMERA_BUSY');
  await until('the camera is called by its name', async () => (await trouble.textContent()).includes('camera (fake_device_0)'));
  await ada.page.screenshot({ path: `${shots}/busy-lobby.png` });
  const told = ada.page.waitForRequest((r) => r.url().endsWith('/openvidu/elk/openvidu-browser-logs'));
  await enter(ada);
  assert.match((await told).postData(), /DEVICE_ALREADY_IN_USE.*fake_device_0.*NotReadableError/);

  const said = await until('the server names it', async () => (await diagnosis('Ada')).find((r) => r.code === 'CAMERA_BUSY'));
  assert.equal(said.side, 'client');
  assert.match(said.evidence.join(' '), /DEVICE_ALREADY_IN_USE|NotReadableError/);

  const bo = await visit('Bo');
  await enter(bo);
  await others(bo.page).waitFor();
  await until('Bo hears Ada', async () => await loudness(bo.page) > 0.05, { within: 15_000 });
  assert.equal(await change(bo.page), -1, 'Ada has no picture');
  assert.deepEqual((await diagnosis('Bo')).filter((r) => r.code === 'CAMERA_BUSY'), [], 'Bo has no such trouble');
  assert.deepEqual((await streams()).map((s) => s.hasVideo).sort(), [false, true]);

  const notice = by(ada.page, 'notices');
  assert.match(await notice.textContent(), /You are in with sound only\. Another program is using your camera \(fake_device_0\)/);
  await ada.page.screenshot({ path: `${shots}/busy-call.png` });
  await by(notice, 'draw').click();
  await until("Bo sees Ada's picture move", async () => await change(bo.page) > 1, { within: 15_000 });
  await until('Bo still hears Ada', async () => await loudness(bo.page) > 0.05);
  await ada.page.screenshot({ path: `${shots}/busy-drawn.png` });
  await Promise.all([ada.close(), bo.close()]);
});

test('FAQ_01b__BusyCamera in the lobby: a drawn picture is sent from the start', { timeout: 60_000 }, async () => {
  const ada = await visit('Ada', takeCamera);
  await by(ada.page, 'device-trouble').waitFor();
  await by(ada.page, 'draw').click();
  await by(ada.page, 'preview').waitFor();
  assert.equal(await by(ada.page, 'device-trouble').count(), 0);
  await enter(ada);
  const bo = await visit('Bo');
  await enter(bo);
  await others(bo.page).waitFor();
  await until("Bo sees Ada's picture move", async () => await change(bo.page) > 1, { within: 15_000 });
  await until('Bo hears Ada', async () => await loudness(bo.page) > 0.05);
  await Promise.all([ada.close(), bo.close()]);
});

test('FAQ_01b__BusyCamera on the test page: calls work, the camera does not, and why', { timeout: 40_000 }, async () => {
  const { page, errors, close } = await openCheck(browser, server.url, { prepare: takeCamera });
  const { verdict, rows } = await runCheck(page);
  assert.deepEqual(verdict, { outcome: 'limited', code: 'CAMERA_BUSY' });
  assert.equal(rows.camera.state, 'fail');
  assert.equal(rows.udp.state, 'ok');
  assert.deepEqual(errors, []);
  await close();
});
