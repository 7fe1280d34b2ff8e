// The page /dashboard/test in a test: opened, run, read.
import { until } from './wait.js';

export const by = (page, id) => page.locator(`[data-testid="${id}"]`);

/** Opens the check; returns {page, errors, close}. errors fill with what the page threw. prepare(page) comes first. */
export async function openCheck(browser, url, { viewport, media, prepare = () => {} } = {}) {
  const { page, close } = await browser.open();
  const errors = [];
  page.on('pageerror', (e) => errors.push(String(e)));
  if (viewport) await page.setViewportSize(viewport);
  if (media) await page.emulateMedia(media);
  await prepare(page);
  await page.goto(`${url}/dashboard/test`);
  return { page, errors, close };
}

/** Presses the button and waits for the verdict; returns what the page shows. */
export async function runCheck(page, { within = 16_000 } = {}) {
  const began = performance.now();
  await by(page, 'start').click();
  await by(page, 'verdict').waitFor({ timeout: within });
  return { ...await readCheck(page), took: performance.now() - began };
}

/** What the page shows: {verdict: {outcome, code}, findings, rows: {udp: {state, rtt, loss, via}, …}}. */
export const readCheck = (page) => page.evaluate(() => {
  const rows = {};
  for (const row of document.querySelectorAll('[data-testid^="row-"]')) {
    const { testid, state, rtt, loss, via } = row.dataset;
    rows[testid.slice(4)] = { state, rtt: Number(rtt), loss: Number(loss), via };
  }
  const { outcome, code } = document.querySelector('[data-testid="verdict"]').dataset;
  const findings = [...document.querySelectorAll('[data-testid="finding"]')].map((f) => f.dataset.code);
  return { verdict: { outcome, code }, findings, rows };
});

/** Waits until a row has one of these states. */
export function rowIs(page, id, ...states) {
  const row = by(page, `row-${id}`);
  return until(`${id} is ${states}`, async () => states.includes(await row.getAttribute('data-state')));
}
