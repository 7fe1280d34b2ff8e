// Every release line of openvidu-browser in one session: each publishes, each decodes every other.
import { stage } from '../lib/stage.js';

const play = stage({ chromium: { devices: true } });
const lines = (process.env.RELEASES ?? '1.9.0 2.4.0 2.11.0 2.16.2 2.20.0 2.32.2').split(' ');

play('releases', async (s) => {
  const session = await s.session();
  for (const sdk of lines) {
    const t = /^1/.test(sdk) ? { session: `${s.server.url.replace('https','wss').replace(/\/$/,'')}/${session.sessionId}?secret=${s.server.secret}`, token: null } : undefined;
    const p = await s.page({ sdk });
    await p.join(t ?? await s.token(session));
    console.log(sdk, 'joined', p.connection);
    await p.publish();
    console.log(sdk, 'published', p.stream);
  }
  await s.allSeeAndHear();
}, { timeout: 120000 });
