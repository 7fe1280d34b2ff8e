// What the SDK writes to a user's console reaches the session's timeline, beside what the server saw.
import assert from 'node:assert/strict';
import { stage } from '../lib/stage.js';
import { until } from '../lib/wait.js';

const play = stage({ env: { OPENVIDU_BROWSER_LOGS: 'debug' } });

const timeline = async (s, session) => {
  const answer = await s.server.get(`/openvidu/api/sessions/${session.sessionId}/timeline`);
  assert.equal(answer.status, 200);
  return (await answer.json()).content;
};

for (const sdk of ['2.32.2', '2.20.0']) {
  play(`FAQ_02b__the ICE lines of SDK ${sdk} are on the timeline within 2 s of being sent, ordered with the server's`, async (s) => {
    const session = await s.session();
    const person = await s.page({ sdk });
    const sent = [];
    person.page.on('requestfinished', (r) => {
      if (r.url().endsWith('/openvidu/elk/openvidu-browser-logs') && r.method() === 'POST') sent.push({ at: Date.now(), text: r.postData() });
    });
    await person.join(await s.token(session), {});
    await person.publish();

    // The SDK sends what it has every 5 s.
    const ice = await until('ICE lines have been sent', () => sent.find((p) => /IceConnectionState/i.test(p.text)), { within: 20_000 });
    const entries = await until('they are on the timeline', async () => {
      const all = await timeline(s, session);
      return all.some((e) => e.source === 'client' && /IceConnectionState/i.test(e.text)) && all;
    }, { within: 2_000 });
    assert.ok(Date.now() - ice.at <= 2_000, `it took ${Date.now() - ice.at} ms`);

    const at = (what, found) => {
      const i = entries.findIndex(found);
      assert.ok(i >= 0, `${what} is not on the timeline`);
      return i;
    };
    const joined = at('the join', (e) => e.source === 'server' && e.kind === 'connection.joined');
    const published = at('the stream', (e) => e.source === 'server' && e.kind === 'stream.published');
    const state = at('the ICE line', (e) => e.source === 'client' && /IceConnectionState.*(checking|connected|completed)/i.test(e.text));
    assert.ok(joined < published && published < state, `join ${joined}, stream ${published}, ICE ${state}`);
    assert.deepEqual(entries.map((e) => e.timestamp), entries.map((e) => e.timestamp).toSorted((a, b) => a - b));
    for (const e of entries.filter((x) => x.source === 'client')) assert.equal(e.connectionId, person.connection);

    const told = JSON.stringify(entries);
    for (const p of sent) {
      for (const [, credential] of p.text.matchAll(/TURN credentials \[[^:\]]+:([^\]]+)\]/g)) assert.ok(!told.includes(credential), 'a TURN credential is on the timeline');
    }
    assert.ok(!/tok_[A-Za-z0-9]{16}/.test(told), 'a token is on the timeline');
  });
}

play('FAQ_02b__nothing is sent unless a token asks for it, and unknown clients are told to stop', async (s) => {
  const session = await s.session();
  const person = await s.page();
  const sent = [];
  person.page.on('request', (r) => { if (r.url().includes('/openvidu/elk/')) sent.push(r.url()); });
  const token = (await s.token(session)).replace(/&(edition|webrtcStatsInterval|sendBrowserLogs)=[^&]*/g, '');
  await person.join(token, {});
  await person.publish();
  assert.deepEqual(sent, []);
  const answer = await fetch(`${s.server.url}/openvidu/elk/openvidu-browser-logs`, {
    method: 'POST', body: '{"lg":[]}', headers: { Authorization: `Basic ${btoa(`NOBODY%/%${session.sessionId}:${token}`)}` },
  });
  assert.equal(answer.status, 401);
});
