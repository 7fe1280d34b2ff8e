// Real browsers, driven by Playwright (Chromium) and by Puppeteer over WebDriver BiDi (Firefox). Both give pages with
// goto, evaluate(function, argument) and on('console'); open() hides the rest.
import { chromium } from 'playwright-core';
import puppeteer from 'puppeteer-core';
import { startSound } from './sound.js';

const chromiumPath = process.env.CHROMIUM ?? '/usr/bin/chromium';
const firefoxPath = process.env.FIREFOX ?? '/usr/bin/firefox-esr';

const chromiumFlags = ['--disable-gpu', '--disable-quic', '--no-first-run', '--disable-background-networking',
  '--disable-component-update', '--disable-sync', '--autoplay-policy=no-user-gesture-required'];
const fakeDevices = ['--use-fake-device-for-media-stream', '--use-fake-ui-for-media-stream'];

const firefoxPrefs = {
  'media.navigator.streams.fake': true, 'media.navigator.permission.disabled': true, 'media.autoplay.default': 0,
  'media.peerconnection.ice.loopback': true, 'media.gmp-manager.updateEnabled': false, 'app.normandy.enabled': false,
  'network.captive-portal-service.enabled': false, 'network.connectivity-service.enabled': false, 'app.update.auto': false,
  'extensions.update.enabled': false, 'datareporting.policy.dataSubmissionEnabled': false,
  'browser.safebrowsing.downloads.remote.enabled': false,
};

/**
 * Starts Chromium. devices: with the fake camera and microphone and their permission; without them the browser hides
 * its addresses behind mDNS names, as it does for any visitor who has granted nothing. args: more flags. env: more of the
 * environment.
 */
export async function startChromium({ devices = false, args = [], env = {} } = {}) {
  const browser = await chromium.launch({
    executablePath: chromiumPath, headless: true, chromiumSandbox: false,
    args: [...chromiumFlags, ...(devices ? fakeDevices : []), ...args], env: { ...process.env, ...env },
  });
  return {
    kind: 'chromium',
    crashed: () => !browser.isConnected(),
    async open() {
      const context = await browser.newContext({ ignoreHTTPSErrors: true });
      const page = await context.newPage();
      return { page, close: () => context.close() };
    },
    close: () => browser.close(),
  };
}

/** Starts Firefox; its host candidates are always mDNS names. */
export async function startFirefox() {
  const sound = await startSound();
  const browser = await puppeteer.launch({
    browser: 'firefox', executablePath: firefoxPath, headless: true, acceptInsecureCerts: true, extraPrefsFirefox: firefoxPrefs,
    env: { ...process.env, ...sound.env },
  });
  return {
    kind: 'firefox',
    crashed: () => !browser.connected,
    async open() {
      const page = await (await browser.createBrowserContext()).newPage();
      return { page, close: () => page.close() };
    },
    async close() {
      await browser.close();
      await sound.close();
    },
  };
}
