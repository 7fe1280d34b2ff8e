// The program under test: started with a data folder of its own on a free port, asked for its health, stopped by signal.
import { spawn } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import { once } from 'node:events';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { fileURLToPath } from 'node:url';
import { OpenVidu } from 'openvidu-node-client';
import { until } from './wait.js';

// The certificate is self-signed and new for every data folder; node-client and fetch have no other way to accept it.
// Only the process of one test file sees this.
process.env.NODE_TLS_REJECT_UNAUTHORIZED = '0';

export const binary = process.env.TERTULIA_BIN ?? fileURLToPath(new URL('../../bin/tertulia', import.meta.url));
const readyWithin = 15_000; // ms
const stopWithin = 10_000; // ms

export class Server {
  #process;
  #data;
  #health; // what was last said of it
  #port = 0;
  #env;

  /** Everything the program printed, all its lives together. */
  log = '';
  secret = randomBytes(12).toString('hex');

  constructor({ env = {} } = {}) {
    this.#env = { ...env };
  }

  /**
   * Starts the program, or starts it again on the same port and data folder, and waits until it is healthy.
   * env: settings that were not known before.
   */
  async start(env = {}) {
    Object.assign(this.#env, env);
    this.#data ??= await mkdtemp(join(tmpdir(), 'tertulia-'));
    const child = spawn(binary, ['serve', '--data', this.#data], {
      env: { PATH: process.env.PATH, HOME: this.#data, ADDRESS_DISCOVERY: 'off', HTTPS_PORT: String(this.#port), OPENVIDU_SECRET: this.secret, ...this.#env },
      stdio: ['ignore', 'pipe', 'pipe'],
    });
    this.#process = child;
    child.on('error', (e) => { this.log += `${e}\n`; });
    for (const out of [child.stdout, child.stderr]) {
      createInterface({ input: out }).on('line', (line) => {
        this.log += `${line}\n`;
        const ready = /^ready (https:\/\/\S+)/.exec(line);
        if (ready) this.url = ready[1];
      });
    }
    this.url = undefined;
    await until('the server says it is ready', () => {
      if (child.exitCode !== null || child.signalCode) throw new Error(`the server ended with ${child.exitCode ?? child.signalCode}:\n${this.log}`);
      return this.url;
    }, { within: readyWithin });
    this.#port = Number(new URL(this.url).port);
    await until('health answers 200', () => this.healthy(), { within: readyWithin, last: () => this.#health });
  }

  get port() { return this.#port; }
  get pid() { return this.#process.pid; }

  async healthy() {
    const answer = await this.get('/openvidu/api/health').catch(() => undefined);
    this.#health = await answer?.text();
    return answer?.status === 200;
  }

  /** A GET with the secret. */
  get(path) { return this.request('GET', path); }

  /** A request with the secret and, if given, a JSON body. */
  request(method, path, body) {
    const authorization = `Basic ${Buffer.from(`OPENVIDUAPP:${this.secret}`).toString('base64')}`;
    const headers = { authorization, ...(body && { 'content-type': 'application/json' }) };
    return fetch(new URL(path, this.url), { method, headers, body: body && JSON.stringify(body) });
  }

  /** The unmodified openvidu-node-client on this server. */
  client() {
    const client = new OpenVidu(this.url, this.secret);
    client.enableProdMode();
    return client;
  }

  /** Lines of the log that warn or worse. */
  complaints() {
    return this.log.split('\n').filter((line) => /level"?[=:]"?(WARN|ERROR)/.test(line));
  }

  /** Ends the program with a signal and waits for its end; SIGKILL follows if it does not end in time. */
  async stop(signal = 'SIGINT') {
    const child = this.#process;
    if (!child?.pid || child.exitCode !== null || child.signalCode) return;
    const ended = once(child, 'exit');
    child.kill(signal);
    const late = setTimeout(() => {
      this.log += `the test killed the server: not ended ${stopWithin} ms after ${signal}\n`;
      child.kill('SIGKILL');
    }, stopWithin);
    await ended;
    clearTimeout(late);
  }

  /** Takes the store of a stopped program away, as a broken disk does; its secret and certificate stay. */
  async loseStore() {
    await rm(join(this.#data, 'nats'), { recursive: true, force: true });
  }

  /** Stops for good and removes the data folder. */
  async close() {
    await this.stop();
    if (this.#data) await rm(this.#data, { recursive: true, force: true });
  }
}
