// One release of every line of openvidu-browser in one session; releases-all.test.js has all ten.
import { callOf } from '../lib/everybody.js';
import { stage } from '../lib/stage.js';

const play = stage({ chromium: { devices: true } }); // up to 2.4 the library takes the camera first, whatever it is given

play('1.9.0, 2.4.0, 2.11.0, 2.16.2, 2.20.0 and 2.32.2 call, signal, mute and leave', (s) =>
  callOf(s, ['1.9.0', '2.4.0', '2.11.0', '2.16.2', '2.20.0', '2.32.2']), { timeout: 90_000 });
