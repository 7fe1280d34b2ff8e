// A call as it happens: what the SDK reports becomes actions on the state, what the person does becomes SDK calls.

import { OpenVidu, type ExceptionEvent, type Session, type Stream, type Subscriber } from 'openvidu-browser';
import { me, mediaState, nameOf, newCall, reduce, type Action, type Call, type Person } from './call';
import { chatData, emptyChat, reduceChat, textIn, type Chat } from './chat';
import { DeviceError, type Opened } from './devices';
import { drawnPicture } from './drawn';
import { clientData, hue, identityIn } from './people';
import { Playback } from './playback.svelte';
import type { Prefs } from './prefs';
import { Publication } from './publication';
import { report } from './report';
import type { Room } from './room';
import { ScreenShare } from './screen-share';
import { tokenFor } from './token';
import { exceptionWords, messageIn } from './words';

const LOCAL = 'local'; // the id of one's own stream in the state: it outlives republishing
const LOOK_EVERY = 1000; // ms between looks at the peer connections
const JOIN_WITHIN = 15_000; // ms; the SDK itself tries for ever and says nothing

export class LiveRoom implements Room {
  call: Call = $state.raw(newCall(''));
  chat: Chat = $state.raw(emptyChat);
  mic = $state(false);
  camera = $state(false);
  readonly playback = new Playback();
  readonly canShare: boolean;

  #openvidu = new OpenVidu();
  #session: Session;
  #publication: Publication;
  #token = '';
  #screen?: ScreenShare;
  #choosing = false; // the browser asks which screen to share
  #subscribers = new Map<string, Subscriber>();
  #look: ReturnType<typeof setInterval> | undefined;

  private constructor(room: string, prefs: Prefs, opened: Opened, micOn: boolean) {
    this.#openvidu.enableProdMode();
    this.call = newCall(room);
    this.mic = micOn && opened.mic !== undefined;
    this.camera = opened.camera !== undefined;
    this.canShare = 'getDisplayMedia' in (navigator.mediaDevices ?? {}) && this.#openvidu.checkScreenSharingCapabilities();
    this.#session = this.#openvidu.initSession();
    this.#publication = new Publication(this.#openvidu, this.#session, prefs, opened);
    this.#listen();
  }

  /** Joins a room with the devices already open, and takes them over. Throws if the room cannot be joined. */
  static async join(room: string, prefs: Prefs, opened: Opened, micOn: boolean): Promise<LiveRoom> {
    const token = await tokenFor(room);
    const live = new LiveRoom(room, prefs, opened, micOn);
    await live.#connect(token, prefs.name);
    live.#do({ type: 'joined' });
    live.#look = setInterval(() => live.#lookAtMedia(), LOOK_EVERY);
    void live.#attempt(live.#publication.start(live.mic), 'The others cannot see or hear you');
    const { camera, cameraTrouble, mic } = opened;
    if (cameraTrouble === 'busy') {
      const error = await DeviceError.of('camera', cameraTrouble, prefs.camera);
      if (camera) live.#report(error);
      else live.#device(error, mic ? 'You are in with sound only' : 'You are in to watch and listen');
    }
    return live;
  }

  async #connect(token: string, name: string): Promise<void> {
    this.#token = token;
    let timer: ReturnType<typeof setTimeout> | undefined;
    const late = new Promise<never>((_, reject) => {
      timer = setTimeout(() => reject(new Error('the websocket did not open')), JOIN_WITHIN);
    });
    try {
      await Promise.race([this.#session.connect(token, clientData(name)), late]);
    } catch (error) {
      this.#openvidu.closeWs();
      throw error;
    } finally {
      clearTimeout(timer);
    }
  }

  async setMic(on: boolean): Promise<void> {
    this.mic = on;
    this.#tellLocal();
    await this.#attempt(this.#publication.setMic(on), 'The microphone stays off');
  }

  async setCamera(on: boolean): Promise<void> {
    this.camera = on;
    await this.#attempt(this.#publication.setCamera(on, this.mic), 'The camera stays off');
    this.#tellLocal();
  }

  async draw(): Promise<void> {
    const self = me(this.call);
    if (!self) return;
    this.camera = true;
    await this.#attempt(this.#publication.setPicture(drawnPicture(hue(self.name)), this.mic), 'The picture stays off');
  }

  async toggleScreen(): Promise<void> {
    if (this.#screen) return this.#screen.stop();
    const self = me(this.call);
    if (!self || this.#choosing) return;
    this.#choosing = true;
    try {
      this.#screen = await ScreenShare.start(this.call.room, self.name, self.id, () => {
        this.#screen = undefined;
        this.#do({ type: 'sharing', sharing: false });
      });
      if (this.call.link === 'ended') this.#screen.stop();
      else this.#do({ type: 'sharing', sharing: true });
    } catch (error) {
      const changedMind = (error as { name?: unknown }).name === 'SCREEN_CAPTURE_DENIED';
      if (!changedMind) this.#trouble(`Your screen could not be shared: ${messageIn(error)}`);
    } finally {
      this.#choosing = false;
    }
  }

  show(person: Person, video: HTMLVideoElement): () => void {
    if (person.local) {
      video.muted = true;
      video.srcObject = this.#publication.preview;
    } else {
      this.#subscribers.get(person.stream?.id ?? '')?.addVideoElement(video);
    }
    const start = () => void (video.paused && this.playback.play(video));
    video.addEventListener('canplay', start);
    return () => {
      video.removeEventListener('canplay', start);
      this.playback.forget(video);
      video.srcObject = null;
    };
  }

  async say(text: string): Promise<boolean> {
    try {
      await this.#session.signal({ type: 'chat', data: chatData(text, me(this.call)?.name ?? '') });
      return true;
    } catch (error) {
      this.#trouble(`Your message was not sent: ${messageIn(error)}`);
      return false;
    }
  }

  openChat(open: boolean): void {
    this.chat = reduceChat(this.chat, { type: open ? 'opened' : 'closed' });
  }

  dismiss(notice: number): void {
    this.#do({ type: 'notice-seen', id: notice });
  }

  leave(): void {
    const cut = this.call.link === 'reconnecting';
    this.#session.disconnect();
    if (cut) this.#openvidu.closeWs(); // nobody will answer the farewell the SDK waits for
    this.#ended('disconnect');
  }

  #listen(): void {
    const session = this.#session;
    session.on('connectionCreated', ({ connection }) => {
      const local = connection.connectionId === session.connection?.connectionId;
      const person = { id: connection.connectionId, local, ...identityIn(connection.data ?? '') };
      this.#do({ type: 'came', person });
      if (local) this.#tellLocal();
    });
    session.on('connectionDestroyed', ({ connection }) => this.#do({ type: 'left', id: connection.connectionId }));
    session.on('streamCreated', ({ stream }) => this.#subscribe(stream));
    session.on('streamDestroyed', ({ stream }) => {
      this.#subscribers.delete(stream.streamId);
      this.#do({ type: 'stream-gone', stream: stream.streamId });
    });
    session.on('streamPropertyChanged', ({ stream }) => {
      const change = { audio: stream.hasAudio && stream.audioActive, video: stream.hasVideo && stream.videoActive };
      this.#do({ type: 'stream-changed', stream: stream.streamId, change });
    });
    session.on('publisherStartSpeaking', ({ connection }) => this.#speaking(connection.connectionId, true));
    session.on('publisherStopSpeaking', ({ connection }) => this.#speaking(connection.connectionId, false));
    session.on('signal:chat', ({ from, data }) => {
      const id = from?.connectionId ?? '';
      const mine = id === me(this.call)?.id;
      const name = from ? nameOf(this.call, id) : 'Server';
      this.chat = reduceChat(this.chat, { type: 'said', from: id, name, text: textIn(data ?? ''), mine, at: Date.now() });
    });
    session.on('reconnecting', () => this.#do({ type: 'reconnecting' }));
    session.on('reconnected', () => {
      this.#do({ type: 'reconnected' });
      setTimeout(() => this.#do({ type: 'steady' }), 4000);
    });
    session.on('sessionDisconnected', ({ reason }) => this.#ended(reason));
    session.on('exception', (event) => this.#exception(event));
  }

  #subscribe(stream: Stream): void {
    const person = stream.connection.connectionId;
    const mine = identityIn(stream.connection.data ?? '').screenOf === me(this.call)?.id;
    if (mine) return; // one's own screen needs no round trip
    const subscriber = this.#session.subscribe(stream, undefined, (error) => {
      const gone = !this.#subscribers.has(stream.streamId); // ended while it was being set up: no trouble
      if (error && !gone) this.#trouble(`${nameOf(this.call, person)} cannot be seen or heard: ${messageIn(error)}`);
    });
    this.#subscribers.set(stream.streamId, subscriber);
    const view = {
      id: stream.streamId,
      audio: stream.hasAudio && stream.audioActive,
      video: stream.hasVideo && stream.videoActive,
      media: 'connecting' as const,
    };
    this.#do({ type: 'stream', person, stream: view });
  }

  #tellLocal(): void {
    const self = me(this.call);
    if (!self) return;
    const media = self.stream?.media ?? 'connecting';
    const stream = { id: LOCAL, audio: this.mic, video: this.camera, media };
    this.#do({ type: 'stream', person: self.id, stream });
  }

  #lookAtMedia(): void {
    for (const { stream, local } of this.call.people) {
      if (!stream) continue;
      const peer = this.#subscribers.get(stream.id)?.stream.getWebRtcPeer();
      const ice = local ? this.#publication.iceState : peer?.pc.iceConnectionState;
      const idle = local && !this.#publication.publishes && !this.mic && !this.camera;
      const media = idle ? 'playing' : mediaState(ice, stream.media);
      if (media !== stream.media) this.#do({ type: 'stream-changed', stream: stream.id, change: { media } });
    }
  }

  #exception(event: ExceptionEvent): void {
    const stream = 'stream' in event.origin ? event.origin.stream : 'streamId' in event.origin ? event.origin : undefined;
    const id = stream?.connection?.connectionId;
    const local = id === undefined || id === me(this.call)?.id;
    const words = exceptionWords(event.name, local ? 'to the others' : `from ${nameOf(this.call, id)}`);
    if (words) this.#trouble(words);
  }

  #speaking(person: string, speaking: boolean): void {
    this.#do({ type: 'speaking', person, speaking });
  }

  /** Waits for a change of what is sent; if it fails, says so and shows what is sent really. */
  async #attempt(change: Promise<void>, failed: string): Promise<void> {
    try {
      await change;
    } catch (error) {
      if (error instanceof DeviceError) this.#device(error, failed);
      else this.#trouble(`${failed}. ${messageIn(error)}`);
      this.mic &&= this.#publication.preview.getAudioTracks().length > 0 && this.#publication.publishes;
      this.camera &&= this.#publication.preview.getVideoTracks().length > 0 && this.#publication.publishes;
    }
    this.#tellLocal();
  }

  /** Says what a device lacks, and offers what can be done without it. */
  #device(error: DeviceError, result: string): void {
    const offer = error.kind === 'camera' && error.trouble !== 'insecure' ? 'drawing' : undefined;
    this.#do({ type: 'notice', text: `${result}. ${error.message}`, trouble: true, ...(offer && { offer }) });
    if (error.trouble === 'busy') this.#report(error);
  }

  #report(error: DeviceError): void {
    void report(this.#openvidu, this.call.room, this.#token, `DEVICE_ALREADY_IN_USE: ${error.message} (NotReadableError, ${error.kind})`);
  }

  #ended(reason: string): void {
    clearInterval(this.#look);
    this.#do({ type: 'ended', reason });
    this.#screen?.stop();
    this.#publication.stop();
  }

  #trouble(text: string): void {
    this.#do({ type: 'notice', text, trouble: true });
  }

  #do(action: Action): void {
    this.call = reduce(this.call, action);
  }
}
