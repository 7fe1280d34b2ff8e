// Loaded before the SDK: keeps what goes over the websocket and what the peer connections do, for the report of a
// failed test, and lets a test bend a single thing (a peer connection's configuration, a message on its way out).
'use strict';

window.trace = { lines: [], rtc: {}, outgoing: (message) => message, incoming: () => {} };

/** The id of the stream that is published next; releases up to 2.0 never learn it. */
trace.published = () => new Promise((done) => {
  trace.incoming = (text) => {
    const { id, sdpAnswer } = JSON.parse(text).result ?? {};
    if (sdpAnswer && id) done(id);
  };
});

(() => {
  const began = performance.now();
  const note = (what, detail) => {
    trace.lines.push(`${Math.round(performance.now() - began)} ${what} ${detail}`.slice(0, 2000));
    if (trace.lines.length > 2000) trace.lines.shift();
  };
  trace.note = note;

  window.WebSocket = class extends WebSocket {
    constructor(...args) {
      super(...args);
      note('ws open', args[0]);
      this.addEventListener('message', (e) => { note('ws <', e.data); trace.incoming(e.data); });
      this.addEventListener('close', (e) => note('ws close', `${e.code} ${e.reason}`));
    }
    send(text) {
      const sent = JSON.stringify(trace.outgoing(JSON.parse(text)));
      note('ws >', sent);
      super.send(sent);
    }
  };

  let peers = 0;
  window.RTCPeerConnection = class extends RTCPeerConnection {
    constructor(config) {
      super({ ...config, ...trace.rtc });
      const id = ++peers;
      this.times = { created: performance.now() };
      this.addEventListener('iceconnectionstatechange', () => {
        this.times[this.iceConnectionState] ??= performance.now();
        note(`pc${id} ice`, this.iceConnectionState);
      });
      this.addEventListener('connectionstatechange', () => {
        const state = this.connectionState === 'connected' ? 'mediaConnected' : this.connectionState;
        this.times[state] ??= performance.now();
        note(`pc${id}`, this.connectionState);
      });
      this.addEventListener('icecandidate', (e) => note(`pc${id} candidate`, e.candidate?.candidate));
      this.addEventListener('icecandidateerror', (e) => note(`pc${id} candidate error`, `${e.url} ${e.errorCode} ${e.errorText}`));
    }
  };

  addEventListener('error', (e) => note('error', e.message));
  addEventListener('unhandledrejection', (e) => note('rejection', e.reason?.message ?? e.reason));
})();
