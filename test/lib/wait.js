// Waiting for what will be true, with a deadline and a last value to report.

export const pause = (ms) => new Promise((resolve) => { setTimeout(resolve, ms); });

/** Polls until fn gives a truthy value and returns that; the failure says what was waited for and the last value. */
export async function until(what, fn, { within = 10_000, every = 100, last = () => undefined } = {}) {
  const deadline = performance.now() + within;
  for (;;) {
    const value = await fn();
    if (value) return value;
    if (performance.now() > deadline) {
      const seen = last();
      throw new Error(`not within ${within} ms: ${what}${seen === undefined ? '' : `; last: ${JSON.stringify(seen)}`}`);
    }
    await pause(every);
  }
}

/** The promise, or a failure that says what was not done in time. */
export function limited(promise, ms, what) {
  let timer;
  const late = new Promise((_, reject) => { timer = setTimeout(() => reject(new Error(`not within ${ms} ms: ${what}`)), ms); });
  return Promise.race([promise, late]).finally(() => clearTimeout(timer));
}
