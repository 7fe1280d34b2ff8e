// What the server measures of a publisher, and what it makes of it: network quality, frame rate, the limits of its viewers.
import assert from 'node:assert/strict';
import { detour } from '../lib/detour.js';
import { startProxy } from '../lib/proxy.js';
import { stage } from '../lib/stage.js';
import { until } from '../lib/wait.js';

const play = stage({
  env: { OPENVIDU_PRO_NETWORK_QUALITY: 'true', OPENVIDU_PRO_NETWORK_QUALITY_INTERVAL: '1' },
  chromium: { devices: true },
});

play('LOSS_12__Told: everybody is told that an uplink is excellent, broken, and excellent again', async (s) => {
  const proxy = s.closing(await startProxy(s.server.port));
  const session = await s.session();
  const [a, b] = [await s.join(session), await s.join(session)];
  await a.evaluate(detour, { from: s.server.port, to: proxy.port });
  await a.publish();
  await b.seesAndHears(a);
  const told = (person, level, after = 0) => person.event('networkQualityLevelChanged',
    (e) => e.connection === a.connection && e.newValue === level && e.at > after, { within: 20_000 });
  await Promise.all([told(a, 5), told(b, 5)]);
  proxy.hold();
  const broken = await told(b, 0);
  proxy.mend();
  await told(b, 5, broken.at);
});

play('LOSS_22__Measured: REST has the frame rate that comes, whatever was announced', async (s) => {
  const session = await s.session();
  const [a, b] = [await s.join(session), await s.join(session)];
  await a.publish({ fps: 12 });
  await b.sees(a);
  let rate;
  await until('the frame rate is measured', async () => {
    await session.fetch();
    rate = session.activeConnections.find((c) => c.connectionId === a.connection).publishers[0].frameRate;
    return rate >= 10 && rate <= 14;
  }, { within: 20_000, last: () => rate });
});

play('a viewer with a limit lowers the publisher while it is there', async (s) => {
  const session = await s.session();
  const a = await s.join(session);
  await a.publish({ width: 640, height: 480, noise: true });
  let sent;
  const sends = (what, fits) => until(`the publisher sends ${what}`, async () => {
    sent = (await a.call('published')).outbound.video.bitrate;
    return fits(sent);
  }, { within: 30_000, last: () => sent });
  await sends('much', (bits) => bits > 600_000);
  const b = await s.join(session, { properties: { kurentoOptions: { videoMaxRecvBandwidth: 400 } } });
  await b.sees(a);
  await sends('what the viewer may have', (bits) => bits > 100_000 && bits <= 400_000);
  await b.call('leave');
  await sends('much again', (bits) => bits > 600_000);
  assert.ok(sent <= 1_000_000, `${sent} bit/s: its own limit stays`);
}, { timeout: 120_000 });
