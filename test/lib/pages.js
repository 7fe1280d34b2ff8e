// The test page, for one SDK release. It is served over plain HTTP on localhost, which is a secure context.
import { build } from 'esbuild';
import { once } from 'node:events';
import { readFile } from 'node:fs/promises';
import http from 'node:http';
import { fileURLToPath } from 'node:url';

const file = (path) => fileURLToPath(new URL(path, import.meta.url));

/** The releases of openvidu-browser that there are pages for, each by the package it is in. */
export const releases = {
  '1.7.0': 'openvidu-browser-1.7', '1.9.0': 'openvidu-browser-1.9', '2.0.0': 'openvidu-browser-2.0', '2.4.0': 'openvidu-browser-2.4',
  '2.11.0': 'openvidu-browser-2.11', '2.16.2': 'openvidu-browser-2.16', '2.18.2': 'openvidu-browser-2.18', '2.20.0': 'openvidu-browser-2.20',
  '2.25.0': 'openvidu-browser-2.25', '2.32.2': 'openvidu-browser',
};

/** The script of a release as it was published; 2.16.2 was published as modules only, which an application bundles. */
function sdk(release) {
  const folder = file(`../node_modules/${releases[release]}`);
  if (release === '2.16.2') return bundled(folder);
  return readFile(`${folder}/static/js/openvidu-browser-${release}.min.js`);
}

async function bundled(folder) {
  const { outputFiles } = await build({
    stdin: { contents: 'window.OpenVidu = require("./lib").OpenVidu', resolveDir: folder },
    bundle: true, write: false, format: 'iife', define: { global: 'window' }, logLevel: 'error',
  });
  return Buffer.from(outputFiles[0].contents);
}

const before = ['trace.js', 'pattern.js', 'stats.js'];
const after = (release) => [`generation${release[0]}.js`, 'tester.js'];
const own = [...before, 'generation1.js', 'generation2.js', 'tester.js'];

/** What a path of the test site holds: {status, type, body}. */
async function page(path) {
  const [, folder, name] = path.split('/');
  if (folder === 'sdk' && releases[name]) return { status: 200, type: 'text/javascript', body: await sdk(name) };
  if (folder === 'page' && own.includes(name)) return { status: 200, type: 'text/javascript', body: await readFile(file(`page/${name}`)) };
  if (folder === 'call' && releases[name]) {
    const src = [...before.map((s) => `/page/${s}`), `/sdk/${name}`, ...after(name).map((s) => `/page/${s}`)];
    const tags = src.map((s) => `<script src="${s}"></script>`).join('\n');
    return { status: 200, type: 'text/html', body: Buffer.from(`<!doctype html><meta charset=utf-8><title>${name}</title><body>\n${tags}\n`) };
  }
  return { status: 404, type: 'text/plain', body: Buffer.from('no such page') };
}

/** Serves the site on a free port of localhost; returns its origin and how to stop. */
export async function servePages() {
  const server = http.createServer(async (req, res) => {
    const { status, type, body } = await page(new URL(req.url, 'http://localhost').pathname);
    res.writeHead(status, { 'content-type': type }).end(body);
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  return {
    origin: `http://localhost:${server.address().port}`,
    close: () => new Promise((done) => { server.close(done); server.closeAllConnections(); }),
  };
}
