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

  publish(session, publisher) {
    const id = trace.published();
    session.publish(publisher);
    return id;
  },

  /** The library makes a video element in the element that is named; 1.7 fails without one. The test looks at one of its own. */
  subscribe(session, stream, video) {
    if (!document.getElementById('theirs')) document.body.append(Object.assign(document.createElement('div'), { id: 'theirs' }));
    const subscriber = session.subscribe(stream, 'theirs');
    stream.addEventListener('mediastream-updated', () => { video.srcObject = stream.getMediaStream(); });
    return subscriber;
  },
};
