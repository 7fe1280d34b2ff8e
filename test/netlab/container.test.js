// A server in a container with one published port, and visitors on the LAN: nothing is set but the address.
import assert from 'node:assert/strict';
import { Lab } from '../lib/lab.js';
import { stage } from '../lib/stage.js';

const port = 4443;
const play = stage({
  chromium: { devices: true },
  env: { HTTPS_PORT: String(port) },
  lab: () => Lab.open('host', 'one', 'two'),
  prepare: (lab) => lab.container('box', 'host', port),
  namespace: 'box',
});

play('one published port and one address are enough', async (s) => {
  const session = await s.session();
  const [a, b] = await s.joinAll(session, { namespace: 'one' }, { namespace: 'two' });
  await Promise.all([a.publish(), b.publish()]);
  await s.allSeeAndHear();
  for (const [viewer, other] of [[a, b], [b, a]]) {
    const { remote } = await viewer.assertTransport(other);
    assert.deepEqual([remote.address, remote.port], [s.lab.address('host'), port]);
  }
});
