// The test page, for one SDK release. It is served over plain HTTP on localhost, which is a secure context.
import { once } from 'node:events';
import { readFile } from 'node:fs/promises';
import http from 'node:http';
import { fileURLToPath } from 'node:url';

const file = (path) => fileURLToPath(new URL(path, import.meta.url));
const bundles = {
  '2.32.2': file('../node_modules/openvidu-browser/static/js/openvidu-browser-2.32.2.min.js'),
  '2.20.0': file('../node_modules/openvidu-browser-2.20/static/js/openvidu-browser-2.20.0.min.js'),
};
const scripts = ['trace.js', 'pattern.js', 'stats.js'];

/** What a path of the test site holds: {status, type, body}. */
async function page(path) {
  const [, folder, name] = path.split('/');
  if (folder === 'sdk' && bundles[name]) return { status: 200, type: 'text/javascript', body: await readFile(bundles[name]) };
  if (folder === 'page' && [...scripts, 'tester.js'].includes(name)) {
    return { status: 200, type: 'text/javascript', body: await readFile(file(`page/${name}`)) };
  }
  if (folder === 'call' && bundles[name]) {
    const src = [...scripts.map((s) => `/page/${s}`), `/sdk/${name}`, '/page/tester.js'];
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
