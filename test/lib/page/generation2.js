// How openvidu-browser 2.x is used; generation1.js is the same for 1.x. tester.js knows no difference.
'use strict';

const generation = {
  session: (ov) => ov.initSession(),
  connect: (session, token, data) => session.connect(token, data),
  publisher: (ov, properties) => ov.initPublisherAsync(undefined, properties),

  async publish(session, publisher) {
    const id = trace.published();
    await session.publish(publisher);
    return id;
  },

  subscribe(session, stream, video) {
    const subscriber = session.subscribe(stream, undefined);
    if (subscriber.addVideoElement) subscriber.addVideoElement(video);
    else stream.on('mediastream-updated', () => { video.srcObject = stream.getMediaStream(); }); // 2.0
    return subscriber;
  },
};
