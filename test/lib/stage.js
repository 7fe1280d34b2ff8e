// What one test file runs on: one server, one browser of each kind, the test pages; and play(), a test on that stage.
import assert from 'node:assert/strict';
import { mkdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { after, before, test } from 'node:test';
import { fileURLToPath } from 'node:url';
import { startChromium, startFirefox } from './browser.js';
import { servePages } from './pages.js';
import { Participant } from './participant.js';
import { Server } from './server.js';
import { limited } from './wait.js';

const out = fileURLToPath(new URL('../out', import.meta.url));
const newest = '2.32.2';

/**
 * Sets a stage up for this file. env: settings of the server. chromium: options of startChromium.
 * Returns play(name, fn, {timeout}): fn gets a Scene. Tests that mostly wait may run side by side, inside a describe() with a
 * concurrency: each has sessions and pages of its own.
 */
export function stage({ env, chromium = {} } = {}) {
  const server = new Server({ env });
  const browsers = new Map();
  const stray = new Set();
  let pages;

  before(async () => {
    pages = await servePages();
    await server.start();
  });

  after(async () => {
    for (const browser of browsers.values()) await (await browser).close();
    await pages?.close();
    await server.close();
    for (const path of stray) console.log(`failure report: ${path}`);
  });

  /** The browser of a kind, started when first asked for. */
  const browser = (kind, options) => {
    const key = `${kind} ${JSON.stringify(options)}`;
    if (!browsers.has(key)) browsers.set(key, kind === 'firefox' ? startFirefox() : startChromium(options));
    return browsers.get(key);
  };

  /** Runs fn on a scene of its own. */
  async function perform(name, fn, timeout) {
    const scene = new Scene(server, (kind, options) => browser(kind, { ...chromium, ...options }), pages.origin);
    try {
      await limited(fn(scene), timeout, name);
    } catch (e) {
      stray.add(await scene.save(name, e));
      e.crashed = scene.crashed();
      throw e;
    } finally {
      await scene.close();
    }
  }

  /** Forgets browsers whose process has ended by itself. */
  async function buryCrashed() {
    for (const [key, opened] of [...browsers]) if ((await opened).crashed()) browsers.delete(key);
  }

  return function play(name, fn, { timeout = 60_000 } = {}) {
    // The runner's own limit comes later: it would leave no time for the report.
    test(name, { timeout: 2 * timeout + 15_000 }, async () => {
      try {
        await perform(name, fn, timeout);
      } catch (e) {
        // Chromium itself dies about once in some hundred tests: that says nothing of us, once.
        if (!e.crashed) throw e;
        await buryCrashed();
        console.log(`a browser crashed in "${name}", which is run again with a new one: ${String(e.message).split('\n')[0]}`);
        await perform(name, fn, timeout);
      }
    });
  };
}

/** One test's participants and sessions. */
export class Scene {
  #browser;
  #origin;
  #browsers = new Set(); // that it has pages in
  #people = [];
  #closers = [];

  constructor(server, browser, origin) {
    this.server = server;
    this.#browser = browser;
    this.#origin = origin;
    this.client = server.client();
  }

  /** A new session, by node-client. */
  session(properties) { return this.client.createSession(properties); }

  /** A token for a session. */
  async token(session, properties) { return (await session.createConnection(properties)).token; }

  /** A page that has not joined. Numbers are given in order: 0, 1, 2… */
  async page({ sdk = newest, browser = 'chromium', devices } = {}) {
    const options = browser === 'firefox' || devices === undefined ? {} : { devices };
    const running = await this.#browser(browser, options);
    this.#browsers.add(running);
    const opened = await running.open();
    const number = this.#people.length;
    const person = new Participant(number, opened, `${'ABCDEFGHIJ'[number]} (${browser} ${sdk})`);
    this.#people.push(person);
    await person.load(this.#origin, sdk);
    return person;
  }

  /** A participant of a session. role and other properties go to createConnection; the rest to page() and join(). */
  async join(session, { role, properties, rtcConfiguration, autoSubscribe, proxy, ...where } = {}) {
    const person = await this.page(where);
    let token = await this.token(session, { role, ...properties });
    if (proxy) token = token.replace(/^wss:\/\/[^/?]+/, `wss://localhost:${proxy.port}`);
    return person.join(token, { rtcConfiguration, autoSubscribe });
  }

  /** Several participants at once, one per options object. */
  joinAll(session, ...all) {
    return all.reduce(async (before, options) => [...await before, await this.join(session, options)], Promise.resolve([]));
  }

  /** Waits until each sees and hears every other that publishes. */
  async allSeeAndHear(people = this.#people, options) {
    await Promise.all(people.flatMap((p) => people.filter((o) => o !== p && o.stream).map((o) => p.seesAndHears(o, options))));
  }

  /** Something to close at the end of the test. */
  closing(thing) {
    this.#closers.push(thing);
    return thing;
  }

  /** Asserts that none of these events was told to anybody. */
  async assertNever(people, ...types) {
    for (const person of people) {
      const bad = (await person.events()).filter((e) => types.includes(e.type));
      assert.deepEqual(bad, [], `${person.name} was told of it`);
    }
  }

  /** Whether a browser of this scene has ended by itself. */
  crashed() { return [...this.#browsers].some((b) => b.crashed()); }

  /** Writes the failure, the pages' traces and the server's log to test/out; returns the folder. */
  async save(name, error) {
    const dir = join(out, name.replace(/[^A-Za-z0-9_]+/g, '-'));
    await mkdir(dir, { recursive: true });
    await writeFile(join(dir, 'error.log'), `${error.stack}\n`);
    await writeFile(join(dir, 'server.log'), this.server.log);
    for (const [i, person] of this.#people.entries()) await writeFile(join(dir, `page-${i}.log`), await person.report());
    return dir;
  }

  async close() {
    for (const person of this.#people) await person.close();
    for (const thing of this.#closers) await thing.close();
  }
}
