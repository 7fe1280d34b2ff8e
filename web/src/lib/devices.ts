// Camera and microphone: which there are, and opening what can be opened.

import { deviceTrouble, deviceWords, type DeviceTrouble } from './words';

/** A device id, '' for the browser's choice, or false for none. */
export type Wanted = string | false;

export interface Opened {
  mic?: MediaStreamTrack;
  camera?: MediaStreamTrack;
  /** The camera's picture is painted: the device itself has its trouble. */
  drawn?: boolean;
  micTrouble?: DeviceTrouble;
  cameraTrouble?: DeviceTrouble;
}

export interface DeviceList {
  cameras: MediaDeviceInfo[];
  mics: MediaDeviceInfo[];
}

/** A device that could not be had; its message is for the person. */
export class DeviceError extends Error {
  constructor(
    readonly kind: 'camera' | 'microphone',
    readonly trouble: DeviceTrouble,
    name = '',
  ) {
    super(deviceWords(kind, trouble, name));
  }

  /** The device's trouble, with its name where the browser tells that. */
  static async of(kind: 'camera' | 'microphone', trouble: DeviceTrouble, wanted: string): Promise<DeviceError> {
    const { cameras, mics } = await list();
    return new DeviceError(kind, trouble, nameOfWanted(kind === 'camera' ? cameras : mics, wanted));
  }
}

const insecure = () => !isSecureContext || !navigator.mediaDevices;

/** Opens both devices by one question to the person; when that fails, whichever of them works alone. */
export async function open(mic: Wanted, camera: Wanted): Promise<Opened> {
  if (insecure()) return { micTrouble: 'insecure', cameraTrouble: 'insecure' };
  if (mic === false || camera === false) return { ...(await openMic(mic)), ...(await openCamera(camera)) };
  try {
    const stream = await navigator.mediaDevices.getUserMedia({ audio: audioOf(mic), video: videoOf(camera) });
    return { mic: stream.getAudioTracks()[0], camera: stream.getVideoTracks()[0] };
  } catch (error) {
    const trouble = deviceTrouble(error);
    if (trouble !== 'denied') return { ...(await openMic(mic)), ...(await openCamera(camera)) };
    // Asking once more for what was just refused would nag: open only what is allowed already.
    return {
      ...((await allowed('microphone')) ? await openMic(mic) : { micTrouble: trouble }),
      ...((await allowed('camera')) ? await openCamera(camera) : { cameraTrouble: trouble }),
    };
  }
}

export async function openMic(id: Wanted): Promise<Pick<Opened, 'mic' | 'micTrouble'>> {
  if (id === false) return {};
  if (insecure()) return { micTrouble: 'insecure' };
  try {
    const stream = await navigator.mediaDevices.getUserMedia({ audio: audioOf(id) });
    return { mic: stream.getAudioTracks()[0] };
  } catch (error) {
    return { micTrouble: deviceTrouble(error) };
  }
}

export async function openCamera(id: Wanted): Promise<Pick<Opened, 'camera' | 'cameraTrouble'>> {
  if (id === false) return {};
  if (insecure()) return { cameraTrouble: 'insecure' };
  try {
    const stream = await navigator.mediaDevices.getUserMedia({ video: videoOf(id) });
    return { camera: stream.getVideoTracks()[0] };
  } catch (error) {
    return { cameraTrouble: deviceTrouble(error) };
  }
}

// ideal, not exact: a remembered device that is gone must not cost the call.
function audioOf(id: string): MediaTrackConstraints {
  return id ? { deviceId: { ideal: id } } : {};
}

function videoOf(id: string): MediaTrackConstraints {
  const size = { width: { ideal: 1280 }, height: { ideal: 720 }, frameRate: { ideal: 30 } };
  return id ? { ...size, deviceId: { ideal: id } } : { ...size, facingMode: 'user' };
}

async function allowed(name: string): Promise<boolean> {
  try {
    const status = await navigator.permissions.query({ name: name as PermissionName });
    return status.state === 'granted';
  } catch {
    return false; // a browser that does not tell
  }
}

/** The devices, as far as the browser tells: names come with the first permission. */
export async function list(): Promise<DeviceList> {
  const all = (await navigator.mediaDevices?.enumerateDevices()) ?? [];
  const known = all.filter((d) => d.deviceId !== '');
  return {
    cameras: known.filter((d) => d.kind === 'videoinput'),
    mics: known.filter((d) => d.kind === 'audioinput'),
  };
}

/** The name of the device that was wanted; '' if there is more than one it could have been. */
export function nameOfWanted(devices: readonly MediaDeviceInfo[], wanted: string): string {
  const meant = devices.find((d) => d.deviceId === wanted) ?? (devices.length === 1 ? devices[0] : undefined);
  return meant?.label ?? '';
}

/** Calls back whenever a device comes or goes; returns what ends that. */
export function watch(changed: () => void): () => void {
  navigator.mediaDevices?.addEventListener('devicechange', changed);
  return () => navigator.mediaDevices?.removeEventListener('devicechange', changed);
}
