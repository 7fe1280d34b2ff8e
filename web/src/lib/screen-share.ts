// A shared screen. OpenVidu publishes one stream per connection, so a screen joins the room as a second one.

import { OpenVidu, type Session } from 'openvidu-browser';
import { clientData } from './people';
import { tokenFor } from './token';

export class ScreenShare {
  private constructor(private readonly session: Session) {}

  /**
   * Lets the person choose a screen and publishes it. The choice comes first: browsers ask only right after a click.
   * ended is called once, when the person stops it in the browser's own bar, or the connection goes.
   */
  static async start(room: string, name: string, owner: string, ended: () => void): Promise<ScreenShare> {
    const openvidu = new OpenVidu();
    openvidu.enableProdMode();
    const session = openvidu.initSession();
    const publisher = await openvidu.initPublisherAsync(undefined, {
      videoSource: 'screen',
      audioSource: 'screen',
      mirror: false,
    });
    const tracks = publisher.stream.getMediaStream().getTracks();
    try {
      await session.connect(await tokenFor(room), clientData(name, owner));
      await session.publish(publisher);
    } catch (error) {
      for (const track of tracks) track.stop();
      session.disconnect();
      throw error;
    }
    session.on('sessionDisconnected', ended);
    tracks.find((t) => t.kind === 'video')?.addEventListener('ended', () => session.disconnect());
    return new ScreenShare(session);
  }

  stop(): void {
    this.session.disconnect();
  }
}
