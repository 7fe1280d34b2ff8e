// What went wrong, in words that say what to do.

export type DeviceTrouble = 'denied' | 'busy' | 'missing' | 'insecure' | 'failed';

/** Sorts the errors getUserMedia and getDisplayMedia give (Media Capture §10.3, and older names of browsers). */
export function deviceTrouble(error: unknown): DeviceTrouble {
  switch (nameIn(error)) {
    case 'NotAllowedError':
    case 'PermissionDeniedError':
    case 'DEVICE_ACCESS_DENIED':
      return 'denied';
    case 'NotReadableError':
    case 'TrackStartError':
    case 'AbortError':
    case 'DEVICE_ALREADY_IN_USE':
      return 'busy';
    case 'NotFoundError':
    case 'DevicesNotFoundError':
    case 'OverconstrainedError':
      return 'missing';
    case 'SecurityError':
      return 'insecure';
  }
  return 'failed';
}

export type DeviceKind = 'camera' | 'microphone' | 'camera and microphone';

/** One sentence on a device that cannot be used, and the remedy. name is the device's own, as far as it is known. */
export function deviceWords(kind: DeviceKind, trouble: DeviceTrouble, name = ''): string {
  const which = name ? `${kind} (${name})` : kind;
  switch (trouble) {
    case 'denied':
      return `This page may not use your ${kind}. Allow it from the icon left of the address, then try again.`;
    case 'busy':
      return `Another program is using your ${which}. Close it there, then try again.`;
    case 'missing':
      return `No ${kind.replace('and', 'or')} was found. Plug one in, or join without.`;
    case 'insecure':
      return `Browsers lend the ${kind} to secure pages only. Open this page by https:// or on localhost.`;
    case 'failed':
      return `Your ${which} did not start. Unplug, plug in again, or choose another device.`;
  }
}

/** Why the call could not be joined. */
export function joinWords(error: unknown): string {
  if (nameIn(error) === 'BROWSER_NOT_SUPPORTED') {
    return 'This browser cannot make calls. Use a current Chrome, Firefox, Safari or Edge.';
  }
  const text = messageIn(error);
  if (error instanceof TypeError || /failed to fetch|networkerror|websocket/i.test(text)) {
    return 'The server cannot be reached. Check your network, then try again. If your browser warned of this server’s certificate, accept it once at /openvidu/accept-certificate.';
  }
  return text ? `The call could not be joined: ${text}` : 'The call could not be joined. Try again.';
}

/** Why a call ended, from the reason of the SDK's sessionDisconnected. */
export function endWords(reason: string): { title: string; text: string } {
  switch (reason) {
    case 'disconnect':
      return { title: 'You left the call', text: 'The others can go on without you. Come back whenever you like.' };
    case 'networkDisconnect':
      return {
        title: 'The connection was lost',
        text: 'Your network, or the server, was away for too long. Check the network and join again.',
      };
    case 'forceDisconnectByUser':
    case 'forceDisconnectByServer':
      return { title: 'You were removed from the call', text: 'A moderator or the application ended your part in it.' };
    case 'sessionClosedByServer':
      return { title: 'The call has ended', text: 'It was closed for everyone.' };
    case 'nodeCrashed':
      return { title: 'The server failed', text: 'The machine that carried this call went away. Join again to go on.' };
  }
  return { title: 'The call has ended', text: reason ? `The server said: ${reason}.` : 'Join again to go on.' };
}

/** What an exception event of the SDK means for the person watching; '' if nothing they could notice. */
export function exceptionWords(name: string, who: string): string {
  switch (name) {
    case 'ICE_CONNECTION_FAILED':
      return `The media connection ${who} broke. Setting it up again…`;
    case 'ICE_CONNECTION_DISCONNECTED':
      return `The media connection ${who} is interrupted. It usually comes back in a few seconds.`;
    case 'NO_STREAM_PLAYING_EVENT':
      return `Nothing has arrived ${who} yet. The network may be slow, or block media.`;
  }
  return '';
}

function nameIn(error: unknown): string {
  return stringField(error, 'name');
}

/** The text of an Error, of a JSON-RPC error or of whatever else was thrown. */
export function messageIn(error: unknown): string {
  if (typeof error === 'string') return error;
  return stringField(error, 'message');
}

function stringField(value: unknown, field: string): string {
  if (value === null || typeof value !== 'object') return '';
  const content = (value as Record<string, unknown>)[field];
  return typeof content === 'string' ? content : '';
}
