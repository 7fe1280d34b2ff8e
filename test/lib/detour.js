// A way for media that a test can cut: through our relay, and to that through a proxy.

/**
 * For Participant.evaluate, before anything is negotiated: makes the page's media go through our relay only, and to
 * the relay through the port `to` in place of `from`.
 */
export const detour = ({ from, to }) => {
  window.RTCPeerConnection = class extends RTCPeerConnection {
    constructor(config) {
      const elsewhere = (urls) => [urls].flat().map((url) => url.replace(`:${from}`, `:${to}`));
      super({ ...config, iceTransportPolicy: 'relay', iceServers: config.iceServers.map((s) => ({ ...s, urls: elsewhere(s.urls) })) });
    }
  };
};
