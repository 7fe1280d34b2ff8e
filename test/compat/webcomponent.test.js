// long: openvidu-webcomponent 2.32.2, which is published with OpenVidu's tutorials and nowhere else. They are fetched from
// OPENVIDU_TUTORIALS: a git repository, by URL or folder.
import { execFile } from 'node:child_process';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { serveFolder } from '../lib/angular.js';
import { stage } from '../lib/stage.js';
import { videoconference } from '../lib/videoconference.js';

const play = stage();
const tutorials = process.env.OPENVIDU_TUTORIALS ?? 'https://github.com/OpenVidu/openvidu-tutorials';
const component = 'openvidu-webcomponent-2.32.2';

const html = `<!doctype html><meta charset="utf-8"><title>call</title>
<style>html, body { height: 100%; margin: 0 }</style>
<link rel="stylesheet" href="${component}.css"><script src="${component}.js"></script>
<openvidu-webcomponent prejoin="false" style="height: 100%"></openvidu-webcomponent>
<script>
  const element = document.querySelector('openvidu-webcomponent');
  element.participantName = new URLSearchParams(location.search).get('name');
  element.tokens = JSON.parse(decodeURIComponent(location.hash.slice(1)));
</script>`;

/** A folder with the component and a page of it, gone at the end. */
async function site(s) {
  const folder = await mkdtemp(join(tmpdir(), 'component-'));
  s.closing({ close: () => rm(folder, { recursive: true, force: true }) });
  const git = (...args) => promisify(execFile)('git', args, { maxBuffer: 1 << 26, env: { ...process.env, GIT_TERMINAL_PROMPT: '0' } });
  await git('clone', '-q', '--bare', '--depth', '1', '--branch', 'v2', tutorials, join(folder, 'git'));
  for (const name of [`${component}.js`, `${component}.css`]) {
    const { stdout } = await git(`--git-dir=${join(folder, 'git')}`, 'show', `v2:openvidu-webcomponent/web/${name}`);
    await writeFile(join(folder, name), stdout);
  }
  await writeFile(join(folder, 'index.html'), html);
  return serveFolder(folder);
}

play('LOSS_03__openvidu-webcomponent 2.32.2: two people call, switch the camera off and on, and leave', async (s) => {
  const pages = s.closing(await site(s));
  await videoconference(s, (tokens, name) => `${pages.origin}/?name=${name}#${encodeURIComponent(JSON.stringify(tokens))}`);
}, { timeout: 180_000 });
