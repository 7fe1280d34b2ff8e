// A server with two addresses: clients reach it by the one they can, and answers leave from where they were asked.
import assert from 'node:assert/strict';
import { Lab } from '../lib/lab.js';
import { stage } from '../lib/stage.js';

const second = '10.77.0.101';
const play = stage({
  chromium: { devices: true },
  lab: () => Lab.open('srv', 'one', 'two'),
  prepare: (lab) => lab.also('srv', second),
  namespace: 'srv',
});

play('each client is served by the address that it can reach', async (s) => {
  const first = s.lab.address('srv');
  // UDP only: each client may speak to one of the two addresses, and hears only from that one.
  const pass = (client, address) => [`ip saddr ${client} ip daddr ${address} accept`, `ip saddr ${address} ip daddr ${client} accept`];
  await s.lab.rules(
    'ip protocol tcp accept', ...pass(s.lab.address('one'), first), ...pass(s.lab.address('two'), second), 'ip protocol udp drop');
  const session = await s.session();
  const [a, b] = await s.joinAll(session, { namespace: 'one' }, { namespace: 'two' });
  await Promise.all([a.publish(), b.publish()]);
  await s.allSeeAndHear();
  assert.equal((await a.assertTransport(b)).remote.address, first);
  assert.equal((await b.assertTransport(a)).remote.address, second);
});
