// One participant: a page with one SDK release in one browser context, and what the test may ask of it.
import assert from 'node:assert/strict';
import { until } from './wait.js';

export const gcm = /^(SRTP_)?AEAD_AES_128_GCM$/; // with the prefix in Chromium

const publishing = (options) => ({ source: 'pattern', audio: true, video: true, width: 320, height: 240, fps: 15, ...options });

export class Participant {
  /** number: whose colour and tone this is, 0–9. opened: what browser.open() gave. */
  constructor(number, opened, name) {
    this.number = number;
    this.name = name;
    this.console = [];
    this.#opened = opened;
    opened.page.on('console', (m) => this.console.push(m.text()));
    opened.page.on('pageerror', (e) => this.console.push(`page error: ${e.message}`));
  }

  #opened;

  /** The page itself, for what it sends. */
  get page() { return this.#opened.page; }

  async load(origin, sdk) {
    await this.#opened.page.goto(`${origin}/call/${sdk}`);
    await this.call('ready');
  }

  /** Calls a method of window.tester. */
  call(method, ...args) {
    return this.#opened.page.evaluate(([m, a]) => window.tester[m](...a), [method, args]);
  }

  /** Calls a method that must be refused; returns the SDK's error as {name, message}. */
  async refused(method, ...args) {
    const error = await this.#opened.page.evaluate(([m, a]) => Promise.resolve(window.tester[m](...a))
      .then(() => undefined, (e) => ({ name: e.name, message: e.message })), [method, args]);
    assert.ok(error, `${method} was not refused`);
    return error;
  }

  evaluate(fn, arg) { return this.#opened.page.evaluate(fn, arg); }

  async join(token, options = {}) {
    this.token = token;
    this.connection = await this.call('join', token, this.number, options);
    return this;
  }

  async publish(options = {}) {
    this.stream = await this.call('publish', publishing(options));
    return this.stream;
  }

  /** A publish that must be refused; returns the SDK's error. */
  refusedToPublish(options = {}) { return this.refused('publish', publishing(options)); }

  /** What is seen and heard of another participant now. */
  probe(other) { return this.call('probe', other.stream); }

  async stats(other) { return (await this.probe(other)).stats; }

  /** Events of one type or of all, in the order in which the SDK told them. */
  async events(type) {
    const all = await this.call('events');
    return type ? all.filter((e) => e.type === type) : all;
  }

  /** Waits for an event that fits. */
  event(type, fits = () => true, { within = 10_000 } = {}) {
    let all = [];
    return until(`${this.name} gets ${type}`, async () => {
      all = await this.events();
      return all.find((e) => e.type === type && fits(e));
    }, { within, last: () => all.map((e) => `${e.type} ${e.reason ?? ''}`) });
  }

  /** Waits until the other's picture is shown, is the other's, and moves. */
  async sees(other, { within = 10_000 } = {}) {
    let first, now;
    await until(`${this.name} sees ${other.name}`, async () => {
      now = await this.glimpse(other);
      if (now?.picture.who !== other.number || now.picture.counter < 0) return false;
      first ??= now;
      return now.picture.counter !== first.picture.counter && now.frames > 0;
    }, { within, last: () => now && { ...now.picture, frames: now.frames, state: now.stats?.state } });
  }

  /** Waits until the other's tone is heard. */
  async hears(other, { within = 10_000 } = {}) {
    let now;
    await until(`${this.name} hears ${other.name}`, async () => {
      now = await this.glimpse(other);
      return now?.tone.who === other.number;
    }, { within, last: () => now?.tone });
  }

  async seesAndHears(other, options) {
    await this.sees(other, options);
    await this.hears(other, options);
  }

  /** A probe that answers undefined while there is no such subscription yet. */
  async glimpse(other) {
    return (await this.call('streams')).includes(other.stream) ? this.probe(other) : undefined;
  }

  /**
   * Asserts the transport: GCM, our passive DTLS, and the kind of pair that was selected. ICE may begin on another pair,
   * the relay even, and move to the better one when that has answered.
   */
  async assertTransport(other, { protocol = 'udp' } = {}) {
    let stats;
    await until(`${this.name} has left the relay`, async () => {
      stats = other ? await this.stats(other) : await this.call('published');
      return stats.local.type !== 'relay';
    }, { within: 5000, last: () => [stats.local, stats.remote] });
    assert.match(stats.srtp, gcm, 'SRTP cipher');
    assert.equal(stats.dtls, 'client', 'the page is the DTLS client');
    assert.equal(stats.local.protocol, protocol, `selected pair: ${JSON.stringify([stats.local, stats.remote])}`);
    assert.equal(stats.remote.type, 'host', `remote candidate: ${JSON.stringify(stats.remote)}`);
    return stats;
  }

  /** Everything that helps to understand a failure, as text. */
  async report() {
    const page = await this.#opened.page.evaluate(async () => ({
      trace: window.trace?.lines ?? [],
      probes: await Promise.all((window.tester?.streams() ?? []).map(async (s) => [s, await window.tester.probe(s)])),
    })).catch((e) => ({ trace: [`page is gone: ${e.message}`], probes: [] }));
    return [`# ${this.name} ${this.connection ?? ''} ${this.stream ?? ''}`, '## console', ...this.console,
      '## probes', ...page.probes.map((p) => JSON.stringify(p)), '## trace', ...page.trace].join('\n');
  }

  close() { return this.#opened.close(); }
}
