// The check in networks that block things: what it measures, and what it makes of it.
import assert from 'node:assert/strict';
import { mkdir } from 'node:fs/promises';
import { fileURLToPath } from 'node:url';
import { openCheck, rowIs, runCheck } from '../lib/checkpage.js';
import { Lab } from '../lib/lab.js';
import { stage } from '../lib/stage.js';

const shots = fileURLToPath(new URL('../out/test-page', import.meta.url));
const play = stage({ chromium: { devices: true }, lab: () => Lab.open('srv', 'walled'), namespace: 'srv' });

const noUDP = ['ip protocol udp drop'];
// A firewall that looks inside, and lets nothing pass but HTTPS: STUN has its cookie 4 octets into what TURN sends, 6
// into what ICE-TCP does (RFC 8489 §5, RFC 4571). TCP's header has 32 octets here, with its time stamps. TURN over TLS
// would pass; Chromium does not speak it to a self-signed certificate.
const onlyHTTPS = [...noUDP, 'ip protocol tcp @th,288,32 0x2112a442 drop', 'ip protocol tcp @th,304,32 0x2112a442 drop'];

/** Runs a check in the walled network. */
async function check(s, rules, shot) {
  if (rules.length) await s.lab.rules(...rules);
  const opened = await openCheck(s, s.server.url, { where: { namespace: 'walled' } });
  const found = await runCheck(opened.page, { within: 20_000 });
  await rowIs(opened.page, 'mic', 'ok', 'fail');
  await mkdir(shots, { recursive: true });
  await opened.page.screenshot({ path: `${shots}/${shot}.png`, fullPage: true });
  assert.deepEqual(opened.errors, []);
  assert.ok(found.took < 15_000, `the check took ${found.took} ms`);
  return found;
}

function works(rows, ...ways) {
  for (const way of ways) {
    const { state, rtt, loss } = rows[way];
    assert.equal(state, 'ok', way);
    assert.ok(rtt >= 0 && rtt < 500, `${way}: ${rtt} ms`);
    assert.ok(loss >= 0 && loss < 5, `${way}: ${loss} % lost`);
  }
}

play('FAQ_01c__TestPage with UDP dropped: UDP fails, TCP and TURN work, and so do calls', async (s) => {
  const { verdict, rows } = await check(s, noUDP, 'no-udp');
  assert.equal(rows.udp.state, 'fail');
  works(rows, 'tcp', 'relay');
  assert.equal(rows.relay.via, 'tcp');
  assert.deepEqual(verdict, { outcome: 'ok', code: 'CLIENT_UDP_BLOCKED' });
});

play('FAQ_01c__TestPage in an open network: everything works', async (s) => {
  const { verdict, rows } = await check(s, [], 'open');
  works(rows, 'udp', 'tcp', 'relay');
  assert.deepEqual(verdict, { outcome: 'ok', code: '' });
});

play('FAQ_01c__TestPage with everything but HTTPS blocked: no call is possible, and why', async (s) => {
  const { verdict, rows } = await check(s, onlyHTTPS, 'only-https');
  for (const way of ['udp', 'tcp', 'relay']) assert.equal(rows[way].state, 'fail', way);
  assert.deepEqual(verdict, { outcome: 'failed', code: 'NET_UNREACHABLE' });
});

play('FAQ_01c__TestPage where packets are lost: how many, on the way that calls take', async (s) => {
  const client = s.lab.address('walled');
  const { verdict, findings, rows } = await check(s, [`ip saddr ${client} ip protocol udp numgen random mod 100 < 25 drop`], 'lossy');
  assert.ok(rows.udp.loss > 5 && rows.udp.loss < 60, `${rows.udp.loss} % of UDP lost`);
  works(rows, 'tcp');
  assert.equal(verdict.outcome, 'limited');
  assert.ok([verdict.code, ...findings].includes('LOSS_UPLINK'), `${verdict.code}, ${findings}`);
});
