// long: ten releases of openvidu-browser in one session, ninety subscriptions.
import { callOf } from '../lib/everybody.js';
import { releases } from '../lib/pages.js';
import { stage } from '../lib/stage.js';

const play = stage({ chromium: { devices: true } });

play('1.7.0 to 2.32.2, ten releases, call, signal, mute and leave', (s) => callOf(s, Object.keys(releases), { within: 60_000 }), { timeout: 300_000 });
