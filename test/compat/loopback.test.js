// The probes themselves, without the server: each browser sends the pattern and the tone to itself.
import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { startChromium, startFirefox } from '../lib/browser.js';
import { servePages } from '../lib/pages.js';
import { Participant } from '../lib/participant.js';

let pages;
before(async () => { pages = await servePages(); });
after(() => pages.close());

for (const [kind, start] of [['Chromium', startChromium], ['Firefox', startFirefox]]) {
  for (const sdk of ['2.32.2', '2.20.0']) {
    test(`${kind} with SDK ${sdk} sees and hears its own pattern and nobody else's`, { timeout: 40_000 }, async () => {
      const browser = await start();
      try {
        const page = new Participant(1, await browser.open(), kind);
        await page.load(pages.origin, sdk);
        assert.ok(await page.call('ready'), 'checkSystemRequirements');
        await page.call('loopback', 1, { width: 320, height: 240, fps: 15 });
        page.stream = 'loopback';
        await page.seesAndHears(page);
        const { picture, tone, stats } = await page.probe(page);
        assert.equal(picture.width, 320);
        assert.ok(Math.abs(tone.hertz - 750) < 15, `${tone.hertz} Hz`);
        assert.equal(stats.state, 'connected');
        assert.equal(stats.local.protocol, 'udp');
        await assert.rejects(page.sees({ stream: 'loopback', number: 2, name: 'a stranger' }, { within: 500 }));
        await assert.rejects(page.hears({ stream: 'loopback', number: 2, name: 'a stranger' }, { within: 500 }));
      } finally {
        await browser.close();
      }
    });
  }
}
