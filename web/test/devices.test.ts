import { afterEach, beforeEach, expect, test, vi } from 'vitest';
import { DeviceError, nameOfWanted, open, openCamera, openMic } from '../src/lib/devices';
import { drawnPicture } from '../src/lib/drawn';
import { report } from '../src/lib/report';

const CAMERA = { kind: 'videoinput', deviceId: 'c1', label: 'HD Webcam' } as MediaDeviceInfo;
const OTHER = { kind: 'videoinput', deviceId: 'c2', label: 'Phone' } as MediaDeviceInfo;
const asked: unknown[] = [];

function browser(secure: boolean, getUserMedia: (wanted: MediaStreamConstraints) => Promise<unknown>) {
  asked.length = 0;
  vi.stubGlobal('isSecureContext', secure);
  vi.stubGlobal('navigator', {
    mediaDevices: {
      getUserMedia: (wanted: MediaStreamConstraints) => (asked.push(wanted), getUserMedia(wanted)),
      enumerateDevices: async () => [CAMERA],
    },
  });
}

afterEach(() => vi.unstubAllGlobals());

const mic = { kind: 'audio' };
const busyCamera = async (wanted: MediaStreamConstraints) => {
  if (wanted.video) throw new DOMException('', 'NotReadableError');
  return { getAudioTracks: () => [mic], getVideoTracks: () => [] };
};

test('a page that is not secure asks for nothing', async () => {
  browser(false, busyCamera);
  expect(await open('', '')).toEqual({ micTrouble: 'insecure', cameraTrouble: 'insecure' });
  expect([await openMic(''), await openCamera('')]).toEqual([{ micTrouble: 'insecure' }, { cameraTrouble: 'insecure' }]);
  expect(asked).toEqual([]);
});

test('a camera that is taken does not cost the microphone', async () => {
  browser(true, busyCamera);
  expect(await open('', '')).toEqual({ mic, cameraTrouble: 'busy' });
  expect(asked).toHaveLength(3); // both, then each
});

test('a device is called by its name where there is no doubt', async () => {
  expect(nameOfWanted([CAMERA, OTHER], 'c2')).toBe('Phone');
  expect(nameOfWanted([CAMERA], '')).toBe('HD Webcam');
  expect(nameOfWanted([CAMERA, OTHER], 'gone')).toBe('');
  browser(true, busyCamera);
  expect((await DeviceError.of('camera', 'busy', '')).message).toContain('your camera (HD Webcam)');
});

test('a report goes the way the SDK’s log goes', async () => {
  const sent: [string, RequestInit][] = [];
  const openvidu = { finalUserId: '0123456789abcdef' } as unknown as Parameters<typeof report>[0];
  await report(openvidu, 'tea', 'wss://h?sessionId=tea&token=tok_A1', 'DEVICE_ALREADY_IN_USE: x', async (path, init) => sent.push([path, init]));
  const [path, init] = sent[0]!;
  const headers = init.headers as Record<string, string>;
  expect(path).toBe('/openvidu/elk/openvidu-browser-logs');
  expect(atob(headers['Authorization']!.slice(6))).toBe('0123456789abcdef%/%tea:wss://h?sessionId=tea&token=tok_A1');
  expect(JSON.parse(init.body as string)).toMatchObject({ lg: [{ l: 5000, m: '{"0":"DEVICE_ALREADY_IN_USE: x"}' }] });
  await report(openvidu, 'tea', 't', 'x', () => Promise.reject(new TypeError('no network'))); // no trouble of the person's
});

/** A track as canvases make them: it ends when it is stopped, its clones do not. */
class Track {
  readyState = 'live';
  stop() {
    this.readyState = 'ended';
  }
  clone(): Track {
    return new Track();
  }
}

beforeEach(() => vi.useFakeTimers());
afterEach(() => vi.useRealTimers());

test('a painted picture moves for as long as anybody has it', () => {
  let painted = 0;
  const pen = new Proxy({}, {
    get: (_, name) => (name === 'canvas' ? { width: 64, height: 36 } : name === 'fillRect' ? () => painted++ : () => ({ addColorStop: () => undefined })),
    set: () => true,
  });
  vi.stubGlobal('document', { createElement: () => ({ getContext: () => pen, captureStream: () => ({ getVideoTracks: () => [new Track()] }) }) });
  const moves = () => {
    const before = painted;
    vi.advanceTimersByTime(1000);
    return painted - before;
  };
  const track = drawnPicture(200);
  expect(moves()).toBeGreaterThan(10);
  const clone = track.clone();
  const another = clone.clone();
  track.stop();
  clone.stop();
  expect(moves()).toBeGreaterThan(10);
  another.stop();
  expect(moves()).toBeLessThanOrEqual(1);
  expect(vi.getTimerCount()).toBe(0);
});
