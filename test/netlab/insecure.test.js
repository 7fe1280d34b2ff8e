// The page under an address of the network by plain HTTP: browsers lend such a page no camera, so it says so instead of
// asking; the server itself redirects to HTTPS, where the camera works.
import assert from 'node:assert/strict';
import { once } from 'node:events';
import { mkdir } from 'node:fs/promises';
import http from 'node:http';
import { fileURLToPath } from 'node:url';
import { by } from '../lib/checkpage.js';
import { Lab } from '../lib/lab.js';
import { stage } from '../lib/stage.js';

const shots = fileURLToPath(new URL('../out/test-page', import.meta.url));
const play = stage({ chromium: { devices: true }, lab: () => Lab.open('srv', 'home'), namespace: 'srv' });

/** Serves the pages in the clear at the switch's address of the lab, as a careless proxy does. */
async function carelessProxy(s) {
  const server = http.createServer(async (req, res) => {
    const answer = await fetch(new URL(req.url, s.server.url), { method: req.method });
    const { 'content-encoding': _, 'content-length': __, ...headers } = Object.fromEntries(answer.headers);
    res.writeHead(answer.status, headers).end(Buffer.from(await answer.arrayBuffer()));
  });
  server.listen(0, '10.77.0.254');
  await once(server, 'listening');
  s.closing({ close: () => new Promise((done) => { server.close(done); server.closeAllConnections(); }) });
  return `10.77.0.254:${server.address().port}`;
}

/** Notes every call for a camera or microphone, also where the browser itself offers no way to ask. */
const spy = (page) => page.addInitScript(() => {
  window.asked = [];
  const getUserMedia = (wanted) => {
    window.asked.push(wanted);
    return Promise.reject(new DOMException('', 'NotAllowedError'));
  };
  const devices = Object.assign(new EventTarget(), { getUserMedia, enumerateDevices: async () => [] });
  if (!navigator.mediaDevices) Object.defineProperty(navigator, 'mediaDevices', { value: devices });
});

play('FAQ_11__InsecurePage says why there is no camera, and asks for none', async (s) => {
  const host = await carelessProxy(s);
  const { page } = await s.open({ namespace: 'home' });
  await spy(page);
  await mkdir(shots, { recursive: true });
  for (const path of ['/call/tea', '/dashboard/test']) {
    await page.goto(`http://${host}${path}`);
    const said = by(page, 'insecure');
    await said.waitFor();
    assert.equal(await page.evaluate(() => isSecureContext), false);
    assert.equal(await said.getAttribute('data-code'), 'INSECURE_ORIGIN');
    assert.equal(await by(page, 'go-secure').getAttribute('href'), `https://${host}${path}`);
    assert.deepEqual(await page.evaluate(() => window.asked), [], `${path} asked for devices`);
  }
  await page.screenshot({ path: `${shots}/insecure.png`, fullPage: true });
  // Somebody who goes on anyway is not asked either.
  await page.goto(`http://${host}/call/tea`);
  await page.getByText('Go on without camera and microphone').click();
  await by(page, 'device-trouble').waitFor();
  assert.match(await by(page, 'device-trouble').textContent(), /secure pages only/);
  assert.deepEqual(await page.evaluate(() => window.asked), []);
});

play('FAQ_11__InsecurePage is not what the server serves: it redirects, and behind the redirect the camera works', async (s) => {
  const { page } = await s.open({ namespace: 'home' });
  const lan = `${s.lab.address('srv')}:${s.server.port}`;
  const answer = await fetch(`http://${lan}/call/tea`, { redirect: 'manual' });
  assert.deepEqual([[301, 308].includes(answer.status), answer.headers.get('location')], [true, `https://${lan}/call/tea`]);
  await page.goto(`http://${lan}/call/tea`); // the context trusts the certificate, as a person does once
  assert.equal(page.url(), `https://${lan}/call/tea`);
  await by(page, 'preview').waitFor();
  const wide = await by(page, 'preview').evaluate((v) => new Promise((done) => { v.requestVideoFrameCallback(() => done(v.videoWidth)); }));
  assert.ok(wide > 0);
});
