// As much of OpenVidu's websocket protocol as one publisher needs. The SDK is not used here: it lets nobody choose
// among the server's candidates.

import { byThisAddress } from '../lib/token';

const OPEN_WITHIN = 6000; // ms
const ANSWER_WITHIN = 6000; // ms

/** A request that the server refused; code is OpenVidu's (spec §3.2). */
export class Refused extends Error {
  constructor(
    readonly code: number,
    message: string,
  ) {
    super(message);
  }
}

interface Answer {
  id?: number;
  result?: Record<string, unknown>;
  error?: { code: number; message: string };
}

export class Signalling {
  #socket: WebSocket;
  #next = 1;
  #waiting = new Map<number, (a: Answer) => void>();

  private constructor(socket: WebSocket) {
    this.#socket = socket;
    socket.addEventListener('message', ({ data }) => {
      const answer = JSON.parse(String(data)) as Answer;
      if (answer.id !== undefined) this.#waiting.get(answer.id)?.(answer);
    });
    socket.addEventListener('close', () => {
      const lost = { error: { code: 0, message: 'the websocket was closed' } };
      for (const waits of this.#waiting.values()) waits(lost);
    });
  }

  /** Opens the websocket a token leads to. Throws if it does not open in time. */
  static async open(token: string): Promise<Signalling> {
    const url = new URL(byThisAddress(token, location));
    const socket = new WebSocket(`${url.protocol}//${url.host}/openvidu?sessionId=${url.searchParams.get('sessionId')}`);
    const signalling = new Signalling(socket);
    await within(OPEN_WITHIN, (done, fail) => {
      socket.addEventListener('open', () => done(undefined));
      socket.addEventListener('close', () => fail(new Error('the websocket does not open')));
    }).catch((error: unknown) => {
      socket.close();
      throw error;
    });
    return signalling;
  }

  /** Sends a request and returns its result; throws Refused if the server says no, Error if it says nothing. */
  async ask(method: string, params: Record<string, unknown>): Promise<Record<string, unknown>> {
    const id = this.#next++;
    const answer = await within<Answer>(ANSWER_WITHIN, (done) => {
      this.#waiting.set(id, done);
      this.#socket.send(JSON.stringify({ jsonrpc: '2.0', method, params, id }));
    });
    this.#waiting.delete(id);
    if (answer.error) throw new Refused(answer.error.code, answer.error.message);
    return answer.result ?? {};
  }

  close(): void {
    this.#socket.close();
  }
}

/** The promise that start keeps, or an Error after ms. */
export function within<T>(ms: number, start: (done: (value: T) => void, fail: (error: Error) => void) => void): Promise<T> {
  return new Promise((resolve, reject) => {
    const timer = setTimeout(() => reject(new Error(`nothing came within ${ms} ms`)), ms);
    const settled =
      <V>(settle: (value: V) => void) =>
      (value: V) => {
        clearTimeout(timer);
        settle(value);
      };
    start(settled(resolve), settled(reject));
  });
}
