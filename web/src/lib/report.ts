// What went wrong on this device, told to the server: by the way on which openvidu-browser ships its log (JSNLog's
// batches), so that it stands on the session's timeline whoever wrote it.

import type { OpenVidu } from 'openvidu-browser';

const ERROR = 5000; // JSNLog's level

type Fetch = (path: string, init: RequestInit) => Promise<unknown>;

/** Sends one line. A server that takes no logs refuses it, which is no trouble of the person's. */
export async function report(openvidu: OpenVidu, session: string, token: string, text: string, fetcher: Fetch = fetch): Promise<void> {
  const user = (openvidu as unknown as { finalUserId?: string }).finalUserId ?? ''; // hidden in the SDK's types
  const line = { l: ERROR, m: JSON.stringify({ 0: text }), n: '', t: Date.now() };
  await fetcher('/openvidu/elk/openvidu-browser-logs', {
    method: 'POST',
    headers: {
      'Content-Type': 'application/json',
      'X-Requested-With': 'XMLHttpRequest',
      Authorization: `Basic ${btoa(`${user}%/%${session}:${token}`)}`,
      'OV-Final-User-Id': user,
      'OV-Session-Id': session,
      'OV-Token': token,
    },
    body: JSON.stringify({ r: '', lg: [line] }),
  }).catch(() => undefined);
}
