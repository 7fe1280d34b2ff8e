// What the components of a call need of the room they show: live-room.svelte.ts is the real one, stories have another.

import type { Call, Person } from './call';
import type { Chat } from './chat';
import type { Playback } from './playback.svelte';

export interface Room {
  readonly call: Call;
  readonly chat: Chat;
  readonly playback: Playback;
  /** What is sent; both change at once, the network follows. */
  readonly mic: boolean;
  readonly camera: boolean;
  /** Whether this browser can share a screen. */
  readonly canShare: boolean;

  setMic(on: boolean): Promise<void>;
  setCamera(on: boolean): Promise<void>;
  /** Sends a painted picture in the camera's place. */
  draw(): Promise<void>;
  toggleScreen(): Promise<void>;
  /** Shows a person's stream in a video element; returns what ends that. */
  show(person: Person, video: HTMLVideoElement): () => void;
  /** Sends a chat message; false if it was not sent. */
  say(text: string): Promise<boolean>;
  openChat(open: boolean): void;
  dismiss(notice: number): void;
  leave(): void;
}
