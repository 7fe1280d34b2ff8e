// The camera and microphone of this page, published as one stream.

import type { OpenVidu, Publisher, Session } from 'openvidu-browser';
import { DeviceError, openCamera, openMic, type Opened } from './devices';
import type { Prefs } from './prefs';

/**
 * Publication sends whichever of the two tracks are wanted. A camera that is off is closed (its light goes out), a
 * microphone that is off stays open but sends silence, so that speaking again loses no word. Changes run one after
 * the other.
 */
export class Publication {
  /** What the person sees of themselves: a live preview of the tracks being sent. */
  readonly preview = new MediaStream();
  #publisher?: Publisher;
  #last: Promise<unknown> = Promise.resolve();

  constructor(
    private readonly openvidu: OpenVidu,
    private readonly session: Session,
    private readonly prefs: Prefs,
    opened: Opened,
  ) {
    for (const track of [opened.mic, opened.camera]) if (track) this.preview.addTrack(track);
  }

  get iceState(): RTCIceConnectionState | undefined {
    return this.#publisher?.stream.getWebRtcPeer()?.pc.iceConnectionState;
  }

  get publishes(): boolean {
    return this.#publisher !== undefined;
  }

  /** Publishes what is there; nothing if there is nothing. */
  start(micOn: boolean): Promise<void> {
    return this.#after(() => this.#publish(micOn));
  }

  /** Throws a DeviceError if the microphone cannot be had. */
  setMic(on: boolean): Promise<void> {
    return this.#after(async () => {
      const publisher = this.#publisher;
      if (publisher?.stream.hasAudio) return publisher.publishAudio(on);
      if (!on) return;
      const { mic, micTrouble } = await openMic(this.prefs.mic);
      if (!mic) throw await DeviceError.of('microphone', micTrouble ?? 'failed', this.prefs.mic);
      await this.#republish(mic, true);
    });
  }

  /** Throws a DeviceError if the camera cannot be had. */
  setCamera(on: boolean, micOn: boolean): Promise<void> {
    return this.#after(async () => {
      const publisher = this.#publisher;
      const current = publisher?.stream.hasVideo ? publisher : undefined;
      if (!on) {
        if (current?.stream.videoActive) await current.publishVideo(false, true);
        return this.#drop('video');
      }
      if (current?.stream.videoActive) return;
      const { camera, cameraTrouble } = await openCamera(this.prefs.camera);
      if (!camera) throw await DeviceError.of('camera', cameraTrouble ?? 'failed', this.prefs.camera);
      await this.#show(camera, micOn);
    });
  }

  /** Sends another picture in the camera's place. */
  setPicture(picture: MediaStreamTrack, micOn: boolean): Promise<void> {
    return this.#after(async () => {
      this.#drop('video');
      await this.#show(picture, micOn);
    });
  }

  /** Closes the devices; the session that ends takes the stream with it. */
  stop(): void {
    this.#drop('audio');
    this.#drop('video');
  }

  async #show(picture: MediaStreamTrack, micOn: boolean): Promise<void> {
    const current = this.#publisher?.stream.hasVideo ? this.#publisher : undefined;
    if (!current) return this.#republish(picture, micOn);
    this.preview.addTrack(picture);
    await current.publishVideo(true, picture);
  }

  async #publish(micOn: boolean): Promise<void> {
    const [mic] = this.preview.getAudioTracks();
    const [camera] = this.preview.getVideoTracks();
    if (!mic && !camera) return;
    if (camera) camera.contentHint = 'motion';
    const publisher = await this.openvidu.initPublisherAsync(undefined, {
      audioSource: mic ?? false,
      videoSource: camera ?? false,
      publishAudio: micOn && mic !== undefined,
      publishVideo: camera !== undefined,
    });
    await this.session.publish(publisher);
    this.#publisher = publisher;
  }

  /** A stream cannot gain a kind of track later: it is published anew. The SDK ends the old one's tracks. */
  async #republish(added: MediaStreamTrack, micOn: boolean): Promise<void> {
    const kept = this.preview.getTracks().filter((t) => t.kind !== added.kind);
    const tracks = [...kept.map((t) => t.clone()), added];
    if (this.#publisher) await this.session.unpublish(this.#publisher);
    this.#publisher = undefined;
    this.stop();
    for (const track of tracks) this.preview.addTrack(track);
    await this.#publish(micOn);
  }

  #drop(kind: string): void {
    for (const track of this.preview.getTracks().filter((t) => t.kind === kind)) {
      track.stop();
      this.preview.removeTrack(track);
    }
  }

  #after<T>(step: () => Promise<T>): Promise<T> {
    const next = this.#last.then(step, step);
    this.#last = next;
    return next;
  }
}
