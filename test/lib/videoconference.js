// OpenVidu's ready-made videoconference (openvidu-angular and the web component are one), as two people use it.
import assert from 'node:assert/strict';
import { readFile } from 'node:fs/promises';
import { startChromium } from './browser.js';
import { until } from './wait.js';

/** Runs before the application: its camera and microphone are the pattern of a participant. */
const camera = (number) => `
  window.pattern = pattern;
  navigator.mediaDevices.getUserMedia = async ({ audio, video }) => new MediaStream([
    ...(audio ? [pattern.audio(${number})] : []),
    ...(video ? [pattern.video(${number}, { width: 640, height: 480, fps: 10 })] : []),
  ]);`;

/** All videos of a page, in shadow roots too, and what is seen and heard of each: [{who, counter, luma, tone}]. */
const views = (page) => page.evaluate(() => {
  const within = (root) => [...root.querySelectorAll('*')].flatMap((e) => [...(e.localName === 'video' ? [e] : []), ...(e.shadowRoot ? within(e.shadowRoot) : [])]);
  return within(document).map((video) => {
    if (video.srcObject?.getAudioTracks().length) video.ear ??= pattern.ear(video.srcObject);
    return { ...pattern.look(video), tone: video.ear?.listen().who ?? -1 };
  });
});

/** Waits until a page shows another's picture, moving, and lets its tone be heard. */
async function seesAndHears(page, number) {
  let now, first;
  await until(`participant ${number} is seen and heard`, async () => {
    now = await views(page);
    const other = now.find((v) => v.who === number && v.counter >= 0 && v.tone === number);
    first ??= other;
    return other && other.counter !== first.counter;
  }, { within: 30_000, last: () => [now, page.trouble] });
}

/** address(tokens, name): the page's. Two see and hear each other; one switches the camera off and on, and leaves. */
export async function videoconference(s, address) {
  const browser = s.closing(await startChromium({ devices: true }));
  const script = await readFile(new URL('page/pattern.js', import.meta.url), 'utf8');
  const session = await s.session();
  const [a, b] = await Promise.all([0, 1].map(async (number) => {
    const { page } = await browser.open();
    page.on('pageerror', (e) => { page.trouble = `${page.trouble ?? ''}${e.message}\n`; });
    await page.addInitScript(`${script};${camera(number)}`);
    await page.goto(address({ webcam: await s.token(session), screen: await s.token(session) }, `P${number}`));
    return page;
  }));
  await Promise.all([seesAndHears(a, 1), seesAndHears(b, 0)]);

  await a.locator('#camera-btn').click(); // the library lets go of the camera: the last picture stands still
  let now, before, still = 0;
  await until('the other camera is off', async () => {
    now = (await views(b)).find((v) => v.tone === 0);
    still = now && now.counter === before ? still + 1 : 0;
    before = now?.counter;
    return still >= 10;
  }, { last: () => now });
  const camerasOff = async () => {
    await session.fetch();
    return session.activeConnections.flatMap((c) => c.publishers).filter((p) => p.videoActive === false).length;
  };
  assert.equal(await camerasOff(), 1);
  await a.locator('#camera-btn').click();
  await seesAndHears(b, 0);
  assert.equal(await camerasOff(), 0);

  const people = session.activeConnections.length;
  await a.locator('#leave-btn').click();
  await until('the other has gone', async () => !(await views(b)).some((v) => v.who === 0));
  await until('REST knows of it', async () => {
    await session.fetch();
    return session.activeConnections.length < people && session.activeConnections.every((c) => !c.clientData.includes('P0'));
  });
  assert.deepEqual(s.server.complaints(), []);
}
