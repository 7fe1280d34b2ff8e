// When a client's media path breaks, or there never is one, the stock SDK tells the application so, and repairs it when
// there is a way (promise LOSS-13).
import assert from 'node:assert/strict';
import dgram from 'node:dgram';
import { once } from 'node:events';
import { describe } from 'node:test';
import { detour } from '../lib/detour.js';
import { startProxy } from '../lib/proxy.js';
import { stage } from '../lib/stage.js';

const play = stage({ chromium: { devices: true } });

/** Waits until somebody is told of an exception of that name. */
const excepted = (person, name, options) => person.event('exception', (e) => e.name === name, options);

// These mostly wait, for what browsers take to give a path up.
describe('breaks', { concurrency: 2 }, () => {
  play('LOSS_13__Disconnected: a path that falls silent is told to the application, and mended', async (s) => {
    const proxy = s.closing(await startProxy(s.server.port));
    const session = await s.session();
    const [a, b] = [await s.join(session), await s.join(session)];
    await a.evaluate(detour, { from: s.server.port, to: proxy.port });
    await Promise.all([a.publish(), b.publish()]);
    await s.allSeeAndHear();
    await s.assertNever([a, b], 'exception');
    for (const stats of [await a.call('published'), await a.stats(b)]) assert.equal(stats.local.type, 'relay');

    proxy.hold();
    await excepted(a, 'ICE_CONNECTION_DISCONNECTED', { within: 15_000 });
    proxy.mend();
    await s.allSeeAndHear([a, b], { within: 20_000 });
    await s.assertNever([a, b], 'sessionDisconnected', 'connectionDestroyed', 'streamDestroyed');
    await s.assertNever([b], 'exception');
  });

  /** Leads the page's first peer connection to a port of this machine where nobody answers. */
  const astray = (port) => {
    const { setRemoteDescription, addIceCandidate } = RTCPeerConnection.prototype;
    let first;
    const lead = (text) => text.replaceAll(/^a=candidate:.* tcp .*\r\n/gm, '').replaceAll(/(candidate:\d+ \d+ udp \d+) \S+ \d+/g, `$1 127.0.0.1 ${port}`);
    RTCPeerConnection.prototype.setRemoteDescription = function ({ type, sdp }) {
      first ??= this;
      return setRemoteDescription.call(this, { type, sdp: this === first ? lead(sdp) : sdp });
    };
    RTCPeerConnection.prototype.addIceCandidate = function (candidate) {
      return this === first ? Promise.resolve() : addIceCandidate.call(this, candidate);
    };
  };

  // Chromium 156 calls what has failed disconnected, and only its connectionState failed, which the SDK does not look at.
  play('LOSS_13__Failed: a path that never comes is told to the application, and another found', async (s) => {
    const silent = dgram.createSocket('udp4').bind(0, '127.0.0.1');
    s.closing({ close: () => new Promise((done) => { silent.close(done); }) });
    await once(silent, 'listening');
    const session = await s.session();
    const [a, b] = [await s.join(session, { browser: 'firefox' }), await s.join(session)];
    await a.evaluate(astray, silent.address().port);
    await a.publish();
    await excepted(a, 'ICE_CONNECTION_FAILED', { within: 40_000 });
    await b.seesAndHears(a, { within: 15_000 });
    await s.assertNever([b], 'streamDestroyed');
  }, { timeout: 90_000 });

  play('LOSS_13__CandidateError: a candidate that the server refuses is told to the application', async (s) => {
    const session = await s.session();
    const [a, b] = [await s.join(session), await s.join(session)];
    await a.evaluate(() => {
      trace.outgoing = (message) => {
        if (message.method === 'onIceCandidate') message.method = 'noSuchMethod'; // our server refuses no candidate
        return message;
      };
    });
    await a.publish();
    await excepted(a, 'ICE_CANDIDATE_ERROR');
    await b.seesAndHears(a); // its candidates are hints to us
    await s.assertNever([b], 'exception');
  });
});
