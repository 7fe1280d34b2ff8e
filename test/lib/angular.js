// The application of test/compat/angular, installed and built in test/out/angular, anew only when its sources change.
import { execFile } from 'node:child_process';
import { createHash } from 'node:crypto';
import { once } from 'node:events';
import { cp, mkdir, readFile, rm, writeFile } from 'node:fs/promises';
import http from 'node:http';
import { extname, join, normalize } from 'node:path';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';

const sources = fileURLToPath(new URL('../compat/angular', import.meta.url));
const built = fileURLToPath(new URL('../out/angular', import.meta.url));
const files = ['package.json', 'angular.json', 'tsconfig.json', 'src/index.html', 'src/main.ts'];
const types = { '.html': 'text/html', '.js': 'text/javascript', '.css': 'text/css' };

async function run(command, args) {
  try {
    await promisify(execFile)(command, args, { cwd: built, timeout: 600_000, maxBuffer: 1 << 26, env: { ...process.env, NG_CLI_ANALYTICS: 'false', CI: '1' } });
  } catch (e) {
    throw new Error(`${command} ${args.join(' ')}: ${e.message}\n${e.stdout}\n${e.stderr}`);
  }
}

/** Builds the application if need be; returns the folder to serve. */
export async function buildAngular() {
  const sum = createHash('sha256');
  for (const f of files) sum.update(await readFile(join(sources, f)));
  const [digest, stamp] = [sum.digest('hex'), join(built, 'built')];
  if (await readFile(stamp, 'utf8').catch(() => '') !== digest) {
    await rm(built, { recursive: true, force: true });
    await mkdir(built, { recursive: true });
    await cp(sources, built, { recursive: true });
    // Flex Layout ended at Angular 15, and openvidu-angular wants it beside 17.
    await run('npm', ['install', '--legacy-peer-deps', '--no-audit', '--no-fund', '--no-package-lock', '--loglevel=error']);
    await run('npx', ['ng', 'build', 'call']);
    await writeFile(stamp, digest);
  }
  return join(built, 'dist');
}

/** Serves a folder on a free port of localhost; returns its origin and how to stop. */
export async function serveFolder(folder) {
  const server = http.createServer(async (req, res) => {
    const path = normalize(new URL(req.url, 'http://localhost').pathname);
    const name = path === '/' ? '/index.html' : path;
    const body = await readFile(join(folder, name)).catch(() => undefined);
    if (body) res.writeHead(200, { 'content-type': types[extname(name)] ?? 'application/octet-stream' }).end(body);
    else res.writeHead(404).end();
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  return {
    origin: `http://localhost:${server.address().port}`,
    close: () => new Promise((done) => { server.close(done); server.closeAllConnections(); }),
  };
}
