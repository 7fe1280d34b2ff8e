// The page's side of a participant: window.tester is what test/lib/participant.js calls. It uses the SDK as an
// application does, and subscribes to every stream it is told of.
'use strict';

window.tester = (() => {
  const sessionEvents = ['connectionCreated', 'connectionDestroyed', 'connectionPropertyChanged', 'sessionDisconnected',
    'streamCreated', 'streamDestroyed', 'streamPropertyChanged', 'signal', 'reconnecting', 'reconnected', 'exception',
    'networkQualityLevelChanged', 'recordingStarted', 'recordingStopped'];
  const ov = new OpenVidu();
  ov.enableProdMode();
  const events = [];
  const seen = new Map(); // stream id → {subscriber, video, ear, gap…}
  let session, publisher, index;

  /** type: what was listened to, since events of 1.x do not say. */
  function record(type, e = {}) {
    const connection = e.connection?.connectionId ?? e.from?.connectionId ?? e.stream?.connection?.connectionId;
    events.push({
      type, at: performance.now(), connection, stream: e.stream?.streamId, reason: e.reason, name: e.name,
      data: e.data, changedProperty: e.changedProperty, newValue: e.newValue, signal: type === 'signal' ? e.type : undefined,
    });
    trace.note('event', JSON.stringify(events.at(-1)));
  }

  function subscribe(stream) {
    const video = Object.assign(document.createElement('video'), { autoplay: true, playsInline: true });
    const view = { video, created: performance.now(), lastFrame: 0, gap: 0 };
    document.body.append(video);
    view.subscriber = generation.subscribe(session, stream, video);
    video.requestVideoFrameCallback?.(function next() {
      const now = performance.now();
      view.firstFrame ??= now;
      if (view.lastFrame) view.gap = Math.max(view.gap, now - view.lastFrame);
      view.lastFrame = now;
      video.requestVideoFrameCallback(next);
    });
    seen.set(stream.streamId, view);
  }

  function forget(streamId) {
    seen.get(streamId)?.video.remove();
    seen.delete(streamId);
  }

  function view(streamId) {
    const v = seen.get(streamId);
    if (!v) throw new Error(`not subscribed to ${streamId}; to ${[...seen.keys()]}`);
    return v;
  }

  /** The track sources of a publisher: the pattern, the fake camera or the screen. */
  function sources({ source, audio, video, width, height, fps, noise }) {
    if (source === 'camera') return { resolution: `${width}x${height}`, frameRate: fps };
    if (source === 'screen') return { videoSource: 'screen', audioSource: false };
    return {
      videoSource: video ? pattern.video(index, { width, height, fps, noise }) : false,
      audioSource: audio ? pattern.audio(index) : false,
    };
  }

  const connectionOf = (id) => session.remoteConnections.get?.(id) ?? session.remoteConnections[id];

  return {
    ready: () => ov.checkSystemRequirements(),

    async join(token, who, { rtcConfiguration, autoSubscribe = true } = {}) {
      index = who;
      if (rtcConfiguration) ov.setAdvancedConfiguration({ rtcConfiguration });
      session = generation.session(ov, token);
      for (const type of sessionEvents) session.on(type, (e) => record(type, e)); // reconnecting comes without one
      session.on('streamCreated', (e) => autoSubscribe && subscribe(e.stream));
      session.on('streamDestroyed', (e) => forget(e.stream.streamId));
      await generation.connect(session, token, { who });
      return session.connection.connectionId;
    },

    async publish(options) {
      publisher = await generation.publisher(ov, { ...sources(options), publishAudio: options.audio, publishVideo: options.video, mirror: false });
      for (const type of ['streamCreated', 'streamDestroyed', 'streamPropertyChanged']) publisher.on(type, (e) => record(type, e));
      return generation.publish(session, publisher);
    },

    unpublish: () => session.unpublish(publisher),
    leave: () => session.disconnect(),
    publishVideo: (on) => publisher.publishVideo(on),
    publishAudio: (on) => publisher.publishAudio(on),
    signal: (options) => session.signal(options),
    unsubscribe: (streamId) => session.unsubscribe(view(streamId).subscriber),
    forceDisconnect: (id) => session.forceDisconnect(connectionOf(id)),
    forceUnpublish: (streamId) => session.forceUnpublish(view(streamId).subscriber.stream),
    role: () => session.connection.role,

    events: () => events,
    streams: () => [...seen.keys()],

    /** What is seen and heard of a stream now. */
    async probe(streamId) {
      const v = view(streamId);
      const stream = v.video.srcObject;
      if (stream?.getAudioTracks().length && v.ear?.stream !== stream) {
        v.ear?.close();
        v.ear = pattern.ear(stream);
      }
      let pc;
      try { pc = v.subscriber.stream.getRTCPeerConnection(); } catch { /* it has none before it negotiates */ }
      const stats = pc && await connectionStats(pc);
      return { picture: pattern.look(v.video), tone: v.ear?.listen() ?? { who: -1 }, frames: stats?.inbound.video?.frames ?? 0, stats };
    },

    /** The publisher's own statistics. */
    published: () => connectionStats(publisher.stream.getRTCPeerConnection()),

    /** The SDP the server answered the publisher with. */
    answer: () => publisher.stream.getRTCPeerConnection().remoteDescription.sdp,

    /** The longest time between two shown frames of a stream since the last call, in ms, the running one included. */
    gap(streamId) {
      const v = view(streamId);
      const longest = Math.max(v.gap, performance.now() - v.lastFrame);
      v.gap = 0;
      return longest;
    },

    /** When things happened to a subscription, in ms after streamCreated. */
    times(streamId) {
      const v = view(streamId);
      const { times } = v.subscriber.stream.getRTCPeerConnection();
      const since = (t) => t && t - v.created;
      return { ice: since(times.connected), media: since(times.mediaConnected), firstFrame: since(v.firstFrame) };
    },

    /** The pattern and the tone through two peer connections of this page: proves the probes without any server. */
    async loopback(who, shape) {
      const [a, b] = [new RTCPeerConnection(), new RTCPeerConnection()];
      a.onicecandidate = (e) => e.candidate && b.addIceCandidate(e.candidate);
      b.onicecandidate = (e) => e.candidate && a.addIceCandidate(e.candidate);
      const sent = new MediaStream([pattern.video(who, shape), pattern.audio(who)]);
      for (const track of sent.getTracks()) a.addTrack(track, sent);
      const video = Object.assign(document.createElement('video'), { autoplay: true, playsInline: true });
      document.body.append(video);
      b.ontrack = (e) => { video.srcObject = e.streams[0]; };
      await a.setLocalDescription();
      await b.setRemoteDescription(a.localDescription);
      await b.setLocalDescription();
      await a.setRemoteDescription(b.localDescription);
      seen.set('loopback', { subscriber: { stream: { webRtcPeer: {}, getRTCPeerConnection: () => b } }, video });
    },
  };
})();
