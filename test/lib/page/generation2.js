// How openvidu-browser 2.x is used; generation1.js is the same for 1.x. tester.js knows no difference.
'use strict';

const generation = {
  session: (ov) => ov.initSession(),
  connect: (session, token, data) => session.connect(token, data),
  publisher: (ov, properties) => ov.initPublisherAsync(undefined, properties),

  async publish(session, publisher) {
    await session.publish(publisher);
    return publisher.stream.streamId;
  },

  subscribe(session, stream, video) {
    const subscriber = session.subscribe(stream, undefined);
    subscriber.addVideoElement(video);
    return subscriber;
  },
};
