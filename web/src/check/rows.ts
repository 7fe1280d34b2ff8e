// The lines a check shows, from what is known so far.

import type { IconName } from '../ui/icons';
import type { DeviceState, Path, Result, SpeakerState, Transport } from './result';

export type RowState = 'idle' | 'running' | 'ok' | 'fail' | 'off';

export interface Row {
  id: 'camera' | 'mic' | 'speakers' | Transport;
  icon: IconName;
  label: string;
  state: RowState;
  note: string;
}

const DEVICE_NOTES: Record<DeviceState, string> = {
  ok: 'works',
  silent: 'delivers nothing',
  denied: 'not allowed',
  busy: 'in use by another program',
  missing: 'none found',
  insecure: 'needs https',
  failed: 'did not start',
  waiting: 'waiting for your answer to the browser',
};

export function deviceRow(id: 'camera' | 'mic', state: DeviceState | undefined): Row {
  const [icon, label] = id === 'camera' ? (['camera', 'Camera'] as const) : (['mic', 'Microphone'] as const);
  if (state === undefined) return { id, icon, label, state: 'idle', note: '' };
  const note = id === 'mic' && state === 'ok' ? 'we hear you' : id === 'mic' && state === 'silent' ? 'nothing heard: say something' : DEVICE_NOTES[state];
  return { id, icon, label, state: state === 'waiting' ? 'running' : state === 'ok' ? 'ok' : 'fail', note };
}

export function speakerRow(state: SpeakerState): Row {
  const notes: Record<SpeakerState, string> = { untried: 'not tried', ok: 'heard', silent: 'not heard' };
  const states: Record<SpeakerState, RowState> = { untried: 'idle', ok: 'ok', silent: 'fail' };
  return { id: 'speakers', icon: 'sound', label: 'Speakers', state: states[state], note: notes[state] };
}

const PATH_LABELS: Record<Transport, [IconName, string]> = {
  udp: ['network', 'UDP'],
  tcp: ['network', 'TCP'],
  relay: ['relay', 'Relay (TURN)'],
};
const STAGE_NOTES: Record<Path['stage'], string> = {
  '': 'does not work',
  signal: 'the server did not answer',
  ice: 'blocked: nothing came back',
  dtls: 'reached, but the key exchange is stopped',
  media: 'connected, but no picture came back',
  codec: 'no video format in common',
  refused: 'not measured',
};

/** A path's line; running says that one without a result is being measured. */
export function pathRow(id: Transport, path: Path | undefined, running: boolean): Row {
  const [icon, plain] = PATH_LABELS[id];
  const label = id === 'relay' && path?.via ? `Relay (TURN over ${path.via.toUpperCase()})` : plain;
  if (!path) return { id, icon, label, state: running ? 'running' : 'idle', note: running ? 'measuring…' : '' };
  if (path.state === 'off') return { id, icon, label, state: 'off', note: 'not offered by this server' };
  if (path.state === 'fail') return { id, icon, label, state: 'fail', note: STAGE_NOTES[path.stage] };
  const rtt = path.rtt < 0 ? '' : `${path.rtt < 1 ? '<1' : path.rtt} ms`;
  return { id, icon, label, state: 'ok', note: [rtt, `${lossOf(path)} % lost`].filter(Boolean).join(' · ') };
}

/** Loss there and back, percent. */
export const lossOf = (path: Path): number => Math.round((path.lossUp + path.lossDown) * 10) / 10;

/** The lines of a finished result. */
export function rowsOf(result: Result): { devices: Row[]; paths: Row[] } {
  return {
    devices: [deviceRow('camera', result.camera), deviceRow('mic', result.mic), speakerRow(result.speakers)],
    paths: [pathRow('udp', result.udp, false), pathRow('tcp', result.tcp, false), pathRow('relay', result.relay, false)],
  };
}
