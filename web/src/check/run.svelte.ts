// A check as it runs: devices and transports side by side, each state shown as it comes.

import { drawnPicture } from '../lib/drawn';
import { LobbyDevices } from '../lib/lobby-devices.svelte';
import { load } from '../lib/prefs';
import { tokensOfCheck } from '../lib/token';
import { messageIn } from '../lib/words';
import { echo } from './echo';
import { moves } from './picture';
import { browserName, failed, TRANSPORTS, type DeviceState, type Path, type Result, type SpeakerState, type Transport } from './result';

export type Phase = 'ready' | 'running' | 'done';

const ANSWER_WITHIN = 12_000; // ms; for the browser's question and the first frames

export class CheckRun {
  phase: Phase = $state('ready');
  paths: Partial<Record<Transport, Path>> = $state({});
  speakers: SpeakerState = $state('untried');
  heard = $state(false); // the microphone, at any time
  /** Why the server gave no tokens, in its own words. */
  refused = $state('');
  readonly prefs = $state(load());
  readonly devices = new LobbyDevices(this.prefs);
  #picture: 'waiting' | 'ok' | 'silent' = $state('waiting');
  #at = $state(0);

  get camera(): DeviceState {
    const { camera, cameraTrouble } = this.devices.opened;
    return camera ? this.#picture : (cameraTrouble ?? 'waiting');
  }

  get mic(): DeviceState {
    const { mic, micTrouble } = this.devices.opened;
    if (!mic) return micTrouble ?? 'waiting';
    return this.heard ? 'ok' : this.phase === 'done' ? 'silent' : 'waiting';
  }

  /** The result so far; undefined until every transport has one. */
  get result(): Result | undefined {
    const { udp, tcp, relay } = this.paths;
    if (this.phase !== 'done' || !udp || !tcp || !relay) return undefined;
    const { camera, mic, speakers } = this;
    return { at: this.#at, browser: browserName(navigator.userAgent), camera, mic, speakers, udp, tcp, relay };
  }

  /** Runs everything; to be called from a click, which browsers want before sound. */
  async start(): Promise<void> {
    if (this.phase === 'running') return;
    this.phase = 'running';
    this.paths = {};
    this.refused = '';
    this.heard = false;
    await Promise.all([this.#network(), this.#look(this.devices.start())]);
    this.#at = Math.floor(Date.now() / 1000) * 1000;
    this.phase = 'done';
  }

  async chooseCamera(id: string): Promise<void> {
    await this.#look(this.devices.chooseCamera(id));
  }

  async chooseMic(id: string): Promise<void> {
    this.heard = false;
    await this.devices.chooseMic(id);
  }

  /** Waits for the camera to open, and for its picture. A question nobody answers must not hold the verdict up. */
  async #look(opening: Promise<void>): Promise<void> {
    this.#picture = 'waiting';
    const looked = opening.then(async () => {
      const { camera } = this.devices.opened;
      if (camera) this.#picture = (await moves(camera)) ? 'ok' : 'silent';
    });
    await Promise.race([looked, new Promise((done) => setTimeout(done, ANSWER_WITHIN))]);
  }

  async #network(): Promise<void> {
    let tokens: string[];
    try {
      tokens = await tokensOfCheck();
    } catch (error) {
      const offline = error instanceof TypeError; // of fetch: no answer at all
      if (!offline) this.refused = messageIn(error);
      for (const t of TRANSPORTS) this.paths[t] = failed(offline ? 'signal' : 'refused');
      return;
    }
    const picture = drawnPicture(28, 320, 180);
    await Promise.all(
      TRANSPORTS.map(async (transport, i) => {
        this.paths[transport] = await echo(transport, tokens[i] ?? '', picture);
      }),
    );
    picture.stop();
  }
}
