// Playing others' sound where the browser wants a tap first (autoplay policy).

export class Playback {
  /** True while a browser holds sound back: show something to tap. */
  blocked = $state(false);
  #waiting = new Set<HTMLVideoElement>();

  /** Plays a video; without sound, and remembered for allow(), if the browser refuses sound. */
  async play(video: HTMLVideoElement): Promise<void> {
    try {
      await video.play();
    } catch (error) {
      if (!(error instanceof DOMException) || error.name !== 'NotAllowedError') return; // replaced by a newer play
      this.#waiting.add(video);
      this.blocked = true;
      video.muted = true;
      await video.play().catch(() => undefined);
    }
  }

  /** To be called from a tap: lets every held-back video be heard. */
  async allow(): Promise<void> {
    const videos = [...this.#waiting];
    this.#waiting.clear();
    this.blocked = false;
    await Promise.all(
      videos.map((video) => {
        video.muted = false;
        return this.play(video);
      }),
    );
  }

  forget(video: HTMLVideoElement): void {
    this.#waiting.delete(video);
    if (this.#waiting.size === 0) this.blocked = false;
  }
}
