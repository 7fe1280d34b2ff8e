// openvidu-browser 1.x in both of its styles: the session's URL with the secret in it and no server side, and the
// session and token that a 1.x server side asks for.
import assert from 'node:assert/strict';
import { insecure } from '../lib/everybody.js';
import { stage } from '../lib/stage.js';

const play = stage({ chromium: { devices: true } });
const guarded = stage({ env: { JOIN_BY_SECRET: 'false' }, chromium: { devices: true } });

/** The newest release joins a session that may have been made by somebody else. */
async function newest(s, id) {
  const session = await s.session({ customSessionId: id });
  return s.join(session);
}

async function talk(s, people) {
  for (const p of people) await p.publish();
  await s.allSeeAndHear(people);
}

/** What openvidu-node-client of the same release sends for a session, always all of it: it tells a 1.x server side from a newer. */
const asked = {
  '1.9.0': { mediaMode: 'ROUTED', recordingMode: 'MANUAL', recordingLayout: 'BEST_FIT' },
  '1.7.0': { mediaMode: 'ROUTED', archiveMode: 'MANUAL', archiveLayout: 'BEST_FIT' },
};

for (const sdk of ['1.9.0', '1.7.0']) {
  play(`FAQ_05__${sdk} without a server side makes the session and calls the newest`, async (s) => {
    const id = `insecure-${sdk.replaceAll('.', '-')}`;
    const a = await s.page({ sdk });
    await a.join(insecure(s.server, id));
    const b = await newest(s, id);
    await talk(s, [a, b]);
    await a.call('leave');
    await b.event('connectionDestroyed', (e) => e.connection === a.connection);
    assert.match(s.server.log, /SECRET_IN_BROWSER/);
  });

  play(`FAQ_05__${sdk} with the session and token of a 1.x server side calls the newest`, async (s) => {
    const made = await s.server.request('POST', '/api/sessions', asked[sdk]);
    assert.equal(made.status, 200);
    const { id } = await made.json();
    assert.match(id, new RegExp(`^wss://[^/]+:${s.server.port}/[A-Za-z0-9_]+$`));
    const given = await s.server.request('POST', '/api/tokens', { session: id, role: 'PUBLISHER', data: 'from the app' });
    assert.equal(given.status, 200);
    const { token, role, data, session } = await given.json();
    assert.deepEqual([role, data, session], ['PUBLISHER', 'from the app', id]);
    const a = await s.page({ sdk });
    await a.join({ session: id, token });
    const b = await newest(s, id.split('/').at(-1));
    await talk(s, [a, b]);
  });
}

guarded('FAQ_05__with JOIN_BY_SECRET=false the secret is refused with the way to go, and makes no session', async (s) => {
  for (const sdk of ['1.9.0', '1.7.0']) {
    const a = await s.page({ sdk });
    const { message } = await a.refused('join', insecure(s.server, 'refused'), a.number, {});
    assert.match(message, /token/i);
    assert.match(message, /JOIN_BY_SECRET/);
  }
  await s.client.fetch();
  assert.deepEqual(s.client.activeSessions.map((x) => x.sessionId), []);
});
