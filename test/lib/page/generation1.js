// How openvidu-browser 1.x is used: a session is known by its URL, everything calls back, and the library itself asks
// for the camera, which here is the test's pattern. A "token" is {session, token}: the URL, and null for none.
'use strict';

const generation = {
  session: (ov, { session }) => ov.initSession(session),

  connect: (session, { token }, data) => new Promise((done, failed) => {
    session.connect(token, data, (error) => error ? failed(Object.assign(new Error(error.message ?? error), { name: String(error.code) })) : done());
  }),

  publisher(ov, { videoSource, audioSource, publishAudio, publishVideo }) {
    // The library looks for a camera, and then asks for it by its size.
    navigator.mediaDevices.enumerateDevices = async () => [{ kind: 'videoinput' }, { kind: 'audioinput' }];
    navigator.mediaDevices.getUserMedia = async () => new MediaStream([videoSource, audioSource].filter(Boolean));
    const parent = Object.assign(document.createElement('div'), { id: 'mine' });
    document.body.append(parent);
    return new Promise((done, failed) => {
      const made = ov.initPublisher('mine', { audio: Boolean(audioSource), video: Boolean(videoSource), audioActive: publishAudio, videoActive: publishVideo, quality: 'LOW' },
        (error) => error ? failed(error) : done(made));
    });
  },

  /** The library never learns the id of its own stream; the answer on the wire has it. */
  publish: (session, publisher) => new Promise((done) => {
    trace.incoming = (text) => {
      const { id, sdpAnswer } = JSON.parse(text).result ?? {};
      if (sdpAnswer && id) done(id);
    };
    session.publish(publisher);
  }),

  /** The library makes the video element itself, in the element that is named. */
  subscribe(session, stream, video) {
    const subscriber = session.subscribe(stream, undefined);
    stream.addEventListener('mediastream-updated', () => { video.srcObject = stream.getMediaStream(); });
    return subscriber;
  },
};
