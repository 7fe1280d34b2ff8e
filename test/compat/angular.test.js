// long: openvidu-angular 2.32.1 as published, in an application that is built here.
import { before } from 'node:test';
import { buildAngular, serveFolder } from '../lib/angular.js';
import { stage } from '../lib/stage.js';
import { videoconference } from '../lib/videoconference.js';

let folder;
before(async () => { folder = await buildAngular(); }, { timeout: 900_000 });
const play = stage();

play('LOSS_03__openvidu-angular 2.32.1: two people call, switch the camera off and on, and leave', async (s) => {
  const site = s.closing(await serveFolder(folder));
  await videoconference(s, (tokens, name) => `${site.origin}/?name=${name}#${encodeURIComponent(JSON.stringify(tokens))}`);
}, { timeout: 120_000 });
