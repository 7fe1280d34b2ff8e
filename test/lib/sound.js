// A sound card for Firefox: without one its AudioContext never leaves "suspended", so it could neither make nor hear a
// tone. A private PulseAudio with a null sink, on a socket of its own.
import { spawn } from 'node:child_process';
import { access, mkdtemp, rm } from 'node:fs/promises';
import { once } from 'node:events';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { until } from './wait.js';

/** Starts one; env is what a browser needs to find it. */
export async function startSound() {
  const dir = await mkdtemp(join(tmpdir(), 'tertulia-sound-'));
  const socket = join(dir, 'socket');
  const env = { HOME: dir, XDG_RUNTIME_DIR: dir, XDG_CONFIG_HOME: dir };
  const child = spawn('pulseaudio', ['-n', '--daemonize=no', '--exit-idle-time=-1', '--use-pid-file=no', '--disallow-exit',
    '-L', 'module-null-sink', '-L', `module-native-protocol-unix socket=${socket} auth-anonymous=1`],
  { env: { PATH: process.env.PATH, ...env }, stdio: 'ignore' });
  const ended = once(child, 'exit');
  const kill = () => child.kill('SIGKILL');
  process.on('exit', kill);
  await until('the sound server listens', () => access(socket).then(() => true, () => false), { within: 10_000 });
  return {
    env: { PULSE_SERVER: `unix:${socket}` },
    async close() {
      kill();
      await ended;
      process.off('exit', kill);
      await rm(dir, { recursive: true, force: true });
    },
  };
}
