// A room with painted people: the state is the real one, the network is not there.
import { me, newCall, reduce, type Action, type Call, type Person } from '../src/lib/call';
import { emptyChat, reduceChat, type Chat } from '../src/lib/chat';
import { Playback } from '../src/lib/playback.svelte';
import type { Room } from '../src/lib/room';
import { document, portrait } from './paint';

const NAMES = ['Inés', 'Mateo Villar', 'Noor', 'Yuki Tanaka', 'Ólafur', 'Chidi Okafor', 'Marguerite de la Fontaine', 'Sam',
  'Leila', 'Piotr', 'Ana', 'Tomás'];

export class PaintedRoom implements Room {
  call: Call = $state.raw(newCall('amber-courtyard-k7f2q'));
  chat: Chat = $state.raw(emptyChat);
  mic = $state(true);
  camera = $state(true);
  readonly playback = new Playback();
  readonly canShare = !matchMedia('(pointer: coarse)').matches;
  #pictures = new Map<string, MediaStream>();

  constructor(people: number) {
    for (let i = 0; i < people; i++) {
      const id = `con_${i}`;
      this.do({ type: 'came', person: { id, name: NAMES[i % NAMES.length]!, local: i === 0, screenOf: '' } });
      this.#pictures.set(id, portrait(200 + i * 47));
      this.#stream(id, i !== 2, i % 5 !== 3, i === 5 ? 'interrupted' : i === 7 ? 'connecting' : 'playing');
    }
    this.do({ type: 'joined' });
    if (people > 1) this.do({ type: 'speaking', person: 'con_1', speaking: true });
  }

  do(action: Action): void {
    this.call = reduce(this.call, action);
  }

  shareFrom(i: number): void {
    this.do({ type: 'came', person: { id: 'con_s', name: NAMES[i]!, local: false, screenOf: `con_${i}` } });
    this.#pictures.set('con_s', document());
    this.#stream('con_s', false, true, 'playing');
  }

  talk(): void {
    const say = (i: number, text: string, ago: number) => {
      this.chat = reduceChat(this.chat, { type: 'said', from: `con_${i}`, name: NAMES[i]!, text, mine: i === 0, at: Date.now() - ago * 60_000 });
    };
    say(1, 'Good evening! Can everyone hear me?', 6);
    say(2, 'Yes, loud and clear.', 5);
    say(2, 'My microphone stays off for a moment, the tram is passing.', 5);
    say(0, 'No hurry. The plan is at https://example.org/plan/autumn, page two.', 3);
    say(1, 'Thanks, I have it open.', 1);
  }

  show(person: Person, video: HTMLVideoElement): () => void {
    video.muted = true;
    video.srcObject = this.#pictures.get(person.id) ?? null;
    return () => (video.srcObject = null);
  }

  async setMic(on: boolean): Promise<void> {
    this.mic = on;
    this.#stream('con_0', this.mic, this.camera, 'playing');
  }

  async setCamera(on: boolean): Promise<void> {
    this.camera = on;
    this.#stream('con_0', this.mic, this.camera, 'playing');
  }

  async draw(): Promise<void> {
    await this.setCamera(true);
  }

  async toggleScreen(): Promise<void> {
    this.do({ type: 'sharing', sharing: !this.call.sharing });
  }

  async say(text: string): Promise<boolean> {
    const self = me(this.call)!;
    this.chat = reduceChat(this.chat, { type: 'said', from: self.id, name: self.name, text, mine: true, at: Date.now() });
    return true;
  }

  openChat(open: boolean): void {
    this.chat = reduceChat(this.chat, { type: open ? 'opened' : 'closed' });
  }

  dismiss(notice: number): void {
    this.do({ type: 'notice-seen', id: notice });
  }

  leave(): void {
    location.search = '?ended=disconnect';
  }

  #stream(person: string, audio: boolean, video: boolean, media: 'playing' | 'interrupted' | 'connecting'): void {
    this.do({ type: 'stream', person, stream: { id: `str_${person}`, audio, video, media } });
  }
}
