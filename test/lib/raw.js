// A websocket that says anything, for what no SDK would send.
import { once } from 'node:events';
import WebSocket from 'ws';
import { limited } from './wait.js';

const answerWithin = 5000; // ms

export async function openRaw(server, sessionId) {
  const socket = new WebSocket(`${server.url.replace('https:', 'wss:')}/openvidu?sessionId=${sessionId}`, { rejectUnauthorized: false });
  await once(socket, 'open');
  const raw = new RawClient(socket);
  await raw.request('ping', { interval: 5000 });
  return raw;
}

class RawClient {
  #socket;
  #next = 0;
  #waiting = new Map(); // id → resolve

  constructor(socket) {
    this.#socket = socket;
    this.closed = new Promise((resolve) => { socket.on('close', (code) => resolve(code)); });
    socket.on('error', () => {}); // a refused frame ends in 'close'
    socket.on('message', (text) => {
      const message = JSON.parse(text);
      this.last = message;
      this.#waiting.get(message.id)?.(message);
    });
  }

  send(text) { this.#socket.send(text); }

  /** The answer to a request: {result} or {error}; it fails if there is none. */
  request(method, params) {
    const id = this.#next++;
    const answer = new Promise((resolve) => { this.#waiting.set(id, resolve); });
    this.send(JSON.stringify({ jsonrpc: '2.0', method, params, id }));
    return limited(answer, answerWithin, `an answer to ${method}`);
  }

  /** Waits until the server has closed the socket; returns the code. */
  refused() { return limited(this.closed, answerWithin, 'the socket is closed'); }

  close() { this.#socket.terminate(); }
}
