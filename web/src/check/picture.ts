// Whether a camera delivers: an open track says nothing, and a covered or sleeping camera gives no frames.

const WITHIN = 5000; // ms
const FRAMES = 3;

/** Whether frames come from a track. */
export async function moves(track: MediaStreamTrack): Promise<boolean> {
  const video = Object.assign(document.createElement('video'), { muted: true, playsInline: true });
  video.srcObject = new MediaStream([track]);
  try {
    await video.play();
    if (!('requestVideoFrameCallback' in video)) return true; // Safari before 15.4: it plays, more it does not tell
    return await new Promise<boolean>((resolve) => {
      const late = setTimeout(() => resolve(false), WITHIN);
      let frames = 0;
      const count = () => {
        if (++frames < FRAMES) return void video.requestVideoFrameCallback(count);
        clearTimeout(late);
        resolve(true);
      };
      video.requestVideoFrameCallback(count);
    });
  } catch {
    return false;
  } finally {
    video.srcObject = null;
  }
}
