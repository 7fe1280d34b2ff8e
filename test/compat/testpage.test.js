// The check as people use it: /dashboard/test on this machine, its looks, its link.
import assert from 'node:assert/strict';
import { mkdir } from 'node:fs/promises';
import { after, before, test } from 'node:test';
import { fileURLToPath } from 'node:url';
import { startChromium, startFirefox } from '../lib/browser.js';
import { by, openCheck, readCheck, rowIs, runCheck } from '../lib/checkpage.js';
import { Server } from '../lib/server.js';
import { until } from '../lib/wait.js';

const server = new Server();
const shots = fileURLToPath(new URL('../out/test-page', import.meta.url));
const desktop = { viewport: { width: 1280, height: 800 }, media: { colorScheme: 'dark' } };
const phone = { viewport: { width: 390, height: 844 }, media: { colorScheme: 'light' } };
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

const shoot = (page, name) => page.screenshot({ path: `${shots}/${name}.png`, fullPage: true });

async function sessions() {
  const { content } = await (await server.get('/openvidu/api/sessions')).json();
  return content.map((s) => s.id);
}

test('a check measures every transport, and leaves nothing behind', { timeout: 60_000 }, async () => {
  const { page, errors, close } = await openCheck(browser, server.url, desktop);
  await shoot(page, 'before-desktop');
  const running = runCheck(page);
  await until('the server has a session of the check', async () => (await sessions()).some((id) => id.startsWith('test-')));
  await shoot(page, 'running-desktop');
  const { verdict, rows, took } = await running;
  await rowIs(page, 'mic', 'ok'); // the fake microphone beeps once a second
  for (const way of ['udp', 'tcp', 'relay']) {
    const { state, rtt, loss } = rows[way];
    assert.equal(state, 'ok', way);
    assert.ok(rtt >= 0 && rtt < 200, `${way}: ${rtt} ms`);
    assert.ok(loss >= 0 && loss < 5, `${way}: ${loss} %`);
  }
  assert.equal(rows.relay.via, 'tcp', 'the certificate is self-signed: Chromium takes no TURN over TLS');
  assert.equal(rows.camera.state, 'ok');
  assert.deepEqual(verdict, { outcome: 'ok', code: '' });
  assert.ok(took < 15_000, `${took} ms`);
  await until('its session is gone', async () => (await sessions()).length === 0);

  await by(page, 'play-sound').click();
  await shoot(page, 'asked-desktop');
  await by(page, 'heard').click();
  await rowIs(page, 'speakers', 'ok');
  await shoot(page, 'done-desktop');
  assert.deepEqual(errors, []);
  await close();
});

test('a phone checks, and its link shows the same to somebody else', { timeout: 60_000 }, async () => {
  // A browser lends the clipboard to a page that asks; the test takes the text at the door.
  const takeText = (page) => page.addInitScript(() => {
    navigator.clipboard.writeText = async (text) => { window.copied = text; };
  });
  const { page, errors, close } = await openCheck(browser, server.url, { ...phone, prepare: takeText });
  await shoot(page, 'before-phone');
  await runCheck(page);
  await rowIs(page, 'mic', 'ok');
  await by(page, 'play-sound').click();
  await by(page, 'not-heard').click();
  await rowIs(page, 'speakers', 'fail');
  await shoot(page, 'done-phone');
  const shown = await readCheck(page);
  assert.deepEqual(shown.verdict, { outcome: 'limited', code: '' });
  await by(page, 'copy-result').click();
  const link = await page.evaluate(() => window.copied);
  assert.match(link, /^https:\/\/[^/]+\/dashboard\/test#r=[\w-]{20,400}$/);

  const support = await browser.open();
  const asked = [];
  support.page.on('request', (r) => asked.push(r.url()));
  await support.page.setViewportSize(desktop.viewport);
  await support.page.goto(link);
  await by(support.page, 'shared').waitFor();
  assert.deepEqual(await readCheck(support.page), shown);
  assert.match(await by(support.page, 'shared').textContent(), /with Chrome \d+ on Linux/);
  assert.ok(asked.every((url) => url.startsWith(server.url) && !url.includes('r=')), `the result left the browser: ${asked}`);
  await shoot(support.page, 'shared-desktop');
  assert.deepEqual(errors, []);
  await Promise.all([close(), support.close()]);
});

test('Firefox measures every transport too', { timeout: 60_000 }, async () => {
  const firefox = await startFirefox();
  try {
    const { page } = await firefox.open();
    await page.goto(`${server.url}/dashboard/test`);
    await page.evaluate(() => document.querySelector('[data-testid="start"]').click());
    const found = await until('Firefox has a verdict', () => page.evaluate(() => document.querySelector('[data-testid="verdict"]') !== null)
      .then((there) => there && readCheck(page)), { within: 20_000 });
    for (const way of ['udp', 'tcp', 'relay']) {
      assert.equal(found.rows[way].state, 'ok', way);
      assert.ok(found.rows[way].rtt >= 0 && found.rows[way].rtt < 500, `${way}: ${found.rows[way].rtt} ms`);
    }
    assert.equal(found.rows.camera.state, 'ok');
    assert.equal(found.verdict.outcome, 'ok');
  } finally {
    await firefox.close();
  }
});

test('a visitor whom the server does not admit is told so, and nothing is measured', { timeout: 40_000 }, async () => {
  const refuse = (page) => page.route('**/dashboard/test', (route) => (route.request().method() === 'POST'
    ? route.fulfill({ status: 403, contentType: 'application/json', body: '{"error":"unsupported","message":"set CALL_PAGE=all"}' })
    : route.continue()));
  const { page, close } = await openCheck(browser, server.url, { prepare: refuse });
  const { verdict, rows } = await runCheck(page);
  assert.deepEqual(verdict, { outcome: 'failed', code: '' });
  assert.equal(rows.udp.state, 'fail');
  assert.match(await by(page, 'refused').textContent(), /set CALL_PAGE=all/);
  await close();
});
