// Clients that may use nothing but the relay: on a server with a port for TURN over UDP, and on one with a coturn beside it.
import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtemp, rm } from 'node:fs/promises';
import { createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after } from 'node:test';
import { gcm } from '../lib/participant.js';
import { stage } from '../lib/stage.js';
import { until } from '../lib/wait.js';

const relayOnly = { rtcConfiguration: { iceTransportPolicy: 'relay' } };

async function freePort() {
  const listener = createServer().listen(0, '127.0.0.1');
  await once(listener, 'listening');
  const { port } = listener.address();
  listener.close();
  await once(listener, 'close');
  return port;
}

const own = stage({ chromium: { devices: true }, env: { COTURN_PORT: '0' } });

own('FAQ_07__RelayOverUDP: a relay-only client is in the call, through TURN over UDP on its own port', async (s) => {
  const session = await s.session();
  const a = await s.join(session, relayOnly);
  const b = await s.join(session);
  await Promise.all([a.publish(), b.publish()]);
  await s.allSeeAndHear();
  for (const stats of [await a.call('published'), await a.stats(b)]) {
    assert.equal(stats.local.type, 'relay');
    assert.equal(stats.local.relayProtocol, 'udp');
    const [, port] = /:(\d+)\?transport=udp$/.exec(stats.local.url) ?? [];
    assert.notEqual(Number(port), s.server.port);
    assert.match(stats.srtp, gcm);
  }
  await b.assertTransport(a); // who may choose takes no detour although one is offered
});

const port = await freePort();
const secret = 'shared-with-coturn';
const data = await mkdtemp(join(tmpdir(), 'coturn-'));
const relays = await freePort();
const coturn = spawn('turnserver', ['-n', '-L', '127.0.0.1', '-E', '127.0.0.1', '-p', String(port), `--min-port=${relays}`,
  `--max-port=${relays + 40}`, '-r', 'test.local', '--use-auth-secret', `--static-auth-secret=${secret}`, '-f', '--no-tls', '--no-dtls',
  '--no-cli', '--allow-loopback-peers', '--no-multicast-peers', '-l', 'stdout', '--simple-log',
  '--pidfile', join(data, 'pid'), '-b', join(data, 'db')], { stdio: ['ignore', 'pipe', 'ignore'] });
let log = '';
coturn.stdout.on('data', (text) => { log += text; });
await until('coturn is up', () => log.includes('DB connection success'));

after(async () => {
  const ended = once(coturn, 'exit');
  coturn.kill('SIGKILL');
  await ended;
  await rm(data, { recursive: true });
});

const outside = stage({
  chromium: { devices: true },
  env: { COTURN_IP: '127.0.0.1', COTURN_PORT: String(port), COTURN_SHARED_SECRET_KEY: secret },
});

outside('FAQ_07__OutsideCoturn: a relay-only client is in the call, through a coturn that shares our secret', async (s) => {
  const session = await s.session();
  const a = await s.join(session, relayOnly);
  const b = await s.join(session);
  await Promise.all([a.publish(), b.publish()]);
  await s.allSeeAndHear();
  const stats = await a.call('published');
  assert.equal(stats.local.type, 'relay');
  assert.equal(stats.local.relayProtocol, 'udp');
  assert.match(stats.local.url, new RegExp(`^turn:127.0.0.1:${port}`));
  let turn;
  await until('health has tried the coturn', async () => {
    turn = (await (await s.server.get('/openvidu/api/health')).json()).checks.find((check) => check.name === 'turn');
    return /2 relays work/.test(turn.text);
  }, { within: 10_000, last: () => turn });
  assert.equal(turn.ok, true);
});
