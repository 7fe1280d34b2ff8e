// The devices while the person is still in the lobby: what is open, what is wanted, what went wrong.

import { list, nameOfWanted, open, openCamera, openMic, watch, type DeviceList, type Opened } from './devices';
import { drawnPicture } from './drawn';
import { hue } from './people';
import type { Prefs } from './prefs';
import { deviceWords } from './words';

export class LobbyDevices {
  opened: Opened = $state.raw({});
  listed: DeviceList = $state.raw({ cameras: [], mics: [] });
  asking = $state(true);
  micOn = $state(true);
  #cameraWanted = true;
  #gone = false; // left the lobby: tracks that come later are nobody's

  constructor(private readonly prefs: Prefs) {}

  get cameraOn(): boolean {
    return this.opened.camera !== undefined;
  }

  /** What went wrong, a sentence per device; the same cause for both is said once. */
  get troubles(): string[] {
    const { camera, micTrouble, cameraTrouble } = this.opened;
    if (micTrouble && micTrouble === cameraTrouble && !camera) {
      return [deviceWords('camera and microphone', cameraTrouble)];
    }
    const { cameras, mics } = this.listed;
    return [
      ...(cameraTrouble && !camera ? [deviceWords('camera', cameraTrouble, nameOfWanted(cameras, this.prefs.camera))] : []),
      ...(micTrouble ? [deviceWords('microphone', micTrouble, nameOfWanted(mics, this.prefs.mic))] : []),
    ];
  }

  /** Whether a painted picture would help: the camera is wanted, and cannot be had. */
  get offersDrawing(): boolean {
    const { camera, cameraTrouble } = this.opened;
    return !camera && cameraTrouble !== undefined && cameraTrouble !== 'insecure';
  }

  /** Takes a painted picture for the camera's; the camera's trouble stays known. */
  draw(): void {
    this.#change({ camera: drawnPicture(hue(this.prefs.name)), drawn: true });
  }

  /** Asks for both devices; also what "Try again" does. */
  async start(): Promise<void> {
    this.asking = true;
    this.close();
    await this.#take(open(this.prefs.mic, this.#cameraWanted ? this.prefs.camera : false));
    this.asking = false;
    await this.relist();
  }

  async toggleCamera(): Promise<void> {
    this.#cameraWanted = !this.cameraOn;
    this.opened.camera?.stop();
    this.#change({ camera: undefined, cameraTrouble: undefined, drawn: false });
    if (this.#cameraWanted) await this.#take(openCamera(this.prefs.camera));
  }

  async toggleMic(): Promise<void> {
    if (!this.opened.mic) {
      this.micOn = true;
      await this.#take(openMic(this.prefs.mic));
    } else {
      this.micOn = !this.micOn;
    }
  }

  async chooseCamera(id: string): Promise<void> {
    this.prefs.camera = id;
    this.opened.camera?.stop();
    this.#cameraWanted = true;
    this.#change({ camera: undefined, cameraTrouble: undefined, drawn: false });
    await this.#take(openCamera(id));
  }

  async chooseMic(id: string): Promise<void> {
    this.prefs.mic = id;
    this.opened.mic?.stop();
    this.#change({ mic: undefined, micTrouble: undefined });
    await this.#take(openMic(id));
  }

  async relist(): Promise<void> {
    this.listed = await list();
  }

  /** Keeps the lists current; returns what ends that and, unless the tracks were handed on, closes them. */
  watch(handedOn: () => boolean): () => void {
    const stop = watch(() => void this.relist());
    return () => {
      stop();
      this.#gone = true;
      if (!handedOn()) this.close();
    };
  }

  close(): void {
    this.opened.mic?.stop();
    this.opened.camera?.stop();
    this.opened = {};
  }

  async #take(coming: Promise<Opened>): Promise<void> {
    const opened = await coming;
    if (this.#gone) {
      opened.mic?.stop();
      opened.camera?.stop();
    } else {
      this.#change(opened);
    }
  }

  #change(change: Opened): void {
    this.opened = { ...this.opened, ...change };
  }
}
