// An application in the manner of the tutorials of OpenVidu 2 – a page, its SDK, and a back end with openvidu-node-client –
// of which only the URL and the secret were changed: the page is served over our TLS, the back end stands behind a route.
import assert from 'node:assert/strict';
import { once } from 'node:events';
import { copyFile, mkdtemp, rm, writeFile } from 'node:fs/promises';
import http from 'node:http';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, test } from 'node:test';
import { fileURLToPath } from 'node:url';
import { OpenVidu } from 'openvidu-node-client';
import { startChromium } from '../lib/browser.js';
import { Server } from '../lib/server.js';
import { until } from '../lib/wait.js';

const sdk = fileURLToPath(new URL('../node_modules/openvidu-browser/static/js/openvidu-browser-2.32.2.min.js', import.meta.url));

const html = `<!doctype html><meta charset="utf-8"><title>Tutorial</title>
<link rel="icon" href="data:,">
<form id="join"><input id="name" value="Ada"><button>Join</button></form><p id="state">waiting</p><div id="videos"></div>
<script src="openvidu-browser.js"></script><script src="app.js"></script>`;

const app = `
const APPLICATION_SERVER_URL = '/api/';
const post = async (path, body) => {
  const answer = await fetch(APPLICATION_SERVER_URL + path, { method: 'POST', headers: { 'Content-Type': 'application/json' }, body: JSON.stringify(body) });
  if (!answer.ok) throw new Error(path + ': ' + answer.status);
  return answer.text();
};
document.getElementById('join').addEventListener('submit', async (e) => {
  e.preventDefault();
  const OV = new OpenVidu();
  const session = OV.initSession();
  session.on('streamCreated', (event) => session.subscribe(event.stream, 'videos'));
  try {
    const id = await post('sessions', { customSessionId: 'tutorial' });
    const token = await post('sessions/' + id + '/connections', {});
    await session.connect(token, { clientData: document.getElementById('name').value });
    session.publish(OV.initPublisher('videos', { resolution: '320x240', frameRate: 15, mirror: false }));
    document.getElementById('state').textContent = 'joined';
  } catch (error) {
    document.getElementById('state').textContent = 'error: ' + error.message;
  }
});
`;

let folder, backend, server, browser;

/** The back end of the tutorials: two calls. */
async function basicNode(url, secret) {
  const client = new OpenVidu(url(), secret);
  const routes = [
    [/^\/api\/sessions$/, async (body) => (await client.createSession(body)).sessionId],
    [/^\/api\/sessions\/([^/]+)\/connections$/, async (body, id) => {
      const session = client.activeSessions.find((s) => s.sessionId === id);
      return (await session.createConnection(body)).token;
    }],
  ];
  return async (path, body) => {
    for (const [pattern, run] of routes) {
      const found = pattern.exec(path);
      if (found) return run(body, found[1]);
    }
    return undefined;
  };
}

before(async () => {
  folder = await mkdtemp(join(tmpdir(), 'tutorial-'));
  await writeFile(join(folder, 'index.html'), html);
  await writeFile(join(folder, 'app.js'), app);
  await copyFile(sdk, join(folder, 'openvidu-browser.js'));
  let answer;
  backend = http.createServer(async (req, res) => {
    const chunks = [];
    for await (const chunk of req) chunks.push(chunk);
    try {
      const text = await answer(req.url, JSON.parse(Buffer.concat(chunks).toString() || '{}'));
      res.writeHead(text === undefined ? 404 : 200).end(text);
    } catch (e) {
      res.writeHead(500).end(e.message);
    }
  });
  backend.listen(0, '127.0.0.1');
  await once(backend, 'listening');
  server = new Server({ env: { EXTRA_ROUTES: `["/=${folder}", "/api=http://127.0.0.1:${backend.address().port}/api"]` } });
  answer = (...call) => basicNode(() => server.url, server.secret).then((run) => { answer = run; return run(...call); });
  await server.start();
  browser = await startChromium({ devices: true });
});

after(async () => {
  await browser?.close();
  await server?.close();
  backend?.closeAllConnections();
  backend?.close();
  await rm(folder, { recursive: true, force: true });
});

test('ENT_21a__an application of OpenVidu 2 works at our / with its URL and secret alone changed', { timeout: 60_000 }, async () => {
  const people = [];
  for (const name of ['Ada', 'Ben']) {
    const { page } = await browser.open();
    await page.goto(`${server.url}/`);
    await page.fill('#name', name);
    await page.click('button');
    const state = await until(`${name} joins`, async () => {
      const text = await page.textContent('#state');
      return text !== 'waiting' && text;
    }, { within: 20_000 });
    assert.equal(state, 'joined');
    people.push(page);
  }
  for (const page of people) {
    let seen;
    await until('both pictures move', async () => {
      seen = await page.evaluate(() => [...document.querySelectorAll('#videos video')].map((v) => ({ width: v.videoWidth, time: v.currentTime })));
      return seen.length === 2 && seen.every((v) => v.width > 0 && v.time > 1);
    }, { within: 20_000, last: () => seen });
  }
  assert.equal((await fetch(`${server.url}/openvidu/api/sessions`)).status, 401, 'the application shadows the API');
  const page = await (await fetch(`${server.url}/call/tea`)).text();
  assert.ok(!page.includes('Tutorial'), 'the application shadows the call page');
});
