// long: the REST clients of other languages, unmodified, each on a call of two pages: openvidu-java-client and pyopenvidu.
import assert from 'node:assert/strict';
import { execFile } from 'node:child_process';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { stage } from '../lib/stage.js';

const play = stage();
const file = (path) => fileURLToPath(new URL(path, import.meta.url));

/** Runs a command and returns what it printed; a failure has all of it. */
async function run(command, args, options) {
  try {
    return (await promisify(execFile)(command, args, { timeout: 200_000, ...options })).stdout;
  } catch (e) {
    throw new Error(`${command}: ${e.message}\n${e.stdout}\n${e.stderr}`);
  }
}

/** A folder that is gone at the end. */
async function folder(s) {
  const path = await mkdtemp(join(tmpdir(), 'clients-'));
  s.closing({ close: () => rm(path, { recursive: true, force: true }) });
  return path;
}

/** A call of two; client gets the server and what is in the call. Returns what the pages were told of. */
async function called(s, client) {
  const session = await s.session();
  const [a, b] = await s.joinAll(session, {}, {});
  await a.publish();
  await b.seesAndHears(a);
  assert.match(await client([`${s.server.url.replace(/\/?$/, '/')}`, s.server.secret, session.sessionId, a.connection, a.stream, b.connection]), /^done$/m);
  for (const p of [a, b]) assert.equal((await p.event('streamDestroyed', (e) => e.stream === a.stream)).reason, 'forceUnpublishByServer');
  assert.equal((await b.event('sessionDisconnected')).reason, 'forceDisconnectByServer');
  assert.equal((await a.event('sessionDisconnected')).reason, 'sessionClosedByServer');
  return { a, b };
}

play('openvidu-java-client 2.32.1: every method', async (s) => {
  const jars = await folder(s);
  await run('mvn', ['-q', '-B', '-f', file('java/pom.xml'), 'dependency:copy-dependencies', `-DoutputDirectory=${jars}`]);
  const { b } = await called(s, (args) => run('java', ['-cp', join(jars, '*'), file('java/Client.java'), ...args]));
  const changed = await b.event('connectionPropertyChanged', (e) => e.changedProperty === 'role');
  assert.equal(changed.newValue, 'SUBSCRIBER');
}, { timeout: 300_000 });

play('pyopenvidu 0.2.1: every method', async (s) => {
  const venv = await folder(s);
  await run('python3', ['-m', 'venv', venv]);
  await run(join(venv, 'bin/pip'), ['install', '-q', 'pyopenvidu==0.2.1']);
  const env = { PATH: process.env.PATH, HOME: venv }; // REQUESTS_CA_BUNDLE would win over verify=False
  const { a, b } = await called(s, (args) => run(join(venv, 'bin/python'), [file('python/client.py'), ...args], { env }));
  assert.deepEqual((await b.events('signal')).map((e) => e.data), ['to all', 'to one', 'to it']);
  assert.deepEqual((await a.events('signal')).map((e) => e.data), ['to all']);
}, { timeout: 300_000 });
