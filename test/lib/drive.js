// One browser, driven from outside: test/netlab (Go) starts this process inside a network namespace and speaks with it in
// lines of JSON, {id, verb, …} in, {id, result} or {id, error} out. The end of its input is the end of the browser.
import { mkdir } from 'node:fs/promises';
import { createInterface } from 'node:readline';
import { startChromium, startFirefox } from './browser.js';
import { by, openCheck, rowIs, runCheck } from './checkpage.js';
import { servePages } from './pages.js';
import { Participant } from './participant.js';

const people = [];
const shots = new URL('../out/test-page/', import.meta.url).pathname;
let browser, pages;

const verbs = {
  /** Starts the browser. kind: chromium or firefox; the rest are its options. */
  async open({ kind, options }) {
    browser = await (kind === 'firefox' ? startFirefox(options) : startChromium(options));
    pages = await servePages();
  },

  /** A page with the SDK; number says whose colour and tone it has. Returns the page's place. */
  async page({ number, name, sdk }) {
    const person = new Participant(number, await browser.open(), name);
    people.push(person);
    await person.load(pages.origin, sdk);
    return people.length - 1;
  },

  /** A method of Participant. Another participant, of this browser or not, is {name, number, stream}. */
  async ask({ page, method, args }) {
    const result = await people[page][method](...args);
    return result === people[page] ? result.connection : result;
  },

  /** The page /dashboard/test: runs it and returns what it shows. shot names a picture of the end. */
  async check({ url, shot }) {
    const { page, errors, close } = await openCheck(browser, url);
    const found = await runCheck(page, { within: 30_000 });
    await rowIs(page, 'mic', 'ok');
    await shoot(page, shot);
    await close();
    return { ...found, errors };
  },

  /** Any page: init runs before its scripts; when the element of that test id is there, source is evaluated. */
  async visit({ url, init, testid, source, shot }) {
    const { page, close } = await browser.open();
    if (init) await page.addInitScript(init);
    await page.goto(url);
    await by(page, testid).waitFor();
    const result = await page.evaluate(source);
    if (shot) await shoot(page, shot);
    await close();
    return result;
  },

  /** Runs a script in the page, before or after it has joined. */
  script: ({ page, source }) => people[page].evaluate((text) => (0, eval)(text), source),
};

async function shoot(page, name) {
  await mkdir(shots, { recursive: true });
  await page.screenshot({ path: `${shots}${name}.png`, fullPage: true });
}

async function answer(line) {
  const { id, verb, ...rest } = JSON.parse(line);
  let reply;
  try {
    reply = { id, result: await verbs[verb](rest) };
  } catch (e) {
    reply = { id, error: `${e.message}${browser?.crashed() ? ' (the browser has crashed)' : ''}` };
  }
  process.stdout.write(`${JSON.stringify(reply)}\n`);
}

const lines = createInterface({ input: process.stdin });
lines.on('line', answer);
lines.on('close', async () => {
  await browser?.close();
  await pages?.close();
  process.exit();
});
