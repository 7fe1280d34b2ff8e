import { describe, expect, test } from 'vitest';
import { absent, browserName, failed, type Path, type Result } from '../src/check/result';
import { pathRow, rowsOf } from '../src/check/rows';
import { judge } from '../src/check/verdict';

const good: Path = { state: 'ok', stage: '', connect: 80, rtt: 20, lossUp: 0, lossDown: 0, via: '' };
const all: Result = {
  at: 0, browser: '', camera: 'ok', mic: 'ok', speakers: 'ok', udp: good, tcp: good, relay: { ...good, via: 'tcp' },
};
const of = (change: Partial<Result>) => judge({ ...all, ...change }).map((f) => `${f.outcome} ${f.code}`.trim());
const down = (stage: Path['stage']) => ({ udp: failed(stage), tcp: failed(stage), relay: failed(stage) });

describe('judge', () => {
  test.each<[string, Partial<Result>, string[]]>([
    ['everything', {}, ['ok']],
    ['UDP blocked', { udp: failed('ice') }, ['ok CLIENT_UDP_BLOCKED']],
    ['the relay alone', { udp: failed('ice'), tcp: failed('ice') }, ['ok CLIENT_UDP_BLOCKED']],
    ['no relay, which nobody needs here', { relay: failed('ice') }, ['ok']],
    ['nothing comes through', down('ice'), ['failed NET_UNREACHABLE']],
    ['nothing, and no relay offered', { ...down('ice'), relay: absent }, ['failed NET_UNREACHABLE']],
    ['the key exchange is stopped', { ...down('ice'), udp: failed('dtls') }, ['failed DTLS_BLOCKED']],
    ['media is stopped', { ...down('ice'), tcp: failed('media') }, ['failed DTLS_BLOCKED']],
    ['no codec', down('codec'), ['failed CODEC_MISMATCH']],
    ['no websocket', down('signal'), ['failed']],
    ['a stranger', down('refused'), ['failed']],
    ['loss up', { udp: { ...good, lossUp: 12 } }, ['limited LOSS_UPLINK']],
    ['loss down', { udp: { ...good, lossDown: 12 } }, ['limited LOSS_DOWNLINK']],
    ['a little loss', { udp: { ...good, lossUp: 2, lossDown: 2 } }, ['ok']],
    ['loss on a way that calls do not take', { tcp: { ...good, lossUp: 50 } }, ['ok']],
    ['a slow line', { udp: { ...good, rtt: 900 } }, ['limited']],
    ['a busy camera', { camera: 'busy' }, ['limited CAMERA_BUSY']],
    ['a busy microphone', { mic: 'busy' }, ['limited CAMERA_BUSY']],
    ['permission refused', { camera: 'denied', mic: 'denied' }, ['limited', 'limited']],
    ['a question nobody has answered', { camera: 'waiting', mic: 'waiting', speakers: 'untried' }, ['ok']],
    ['silence', { mic: 'silent' }, ['limited']],
    ['the worst comes first', { ...down('ice'), camera: 'busy' }, ['failed NET_UNREACHABLE', 'limited CAMERA_BUSY']],
    ['what works comes last', { udp: failed('ice'), camera: 'missing' }, ['limited', 'ok CLIENT_UDP_BLOCKED']],
  ])('%s', (_, change, findings) => expect(of(change)).toEqual(findings));

  test('does not blame the network for what the server refused', () => {
    expect(judge({ ...all, ...down('refused') })[0].title).toContain('did not allow');
    expect(judge({ ...all, ...down('signal') })[0].text).toContain('certificate');
  });

  test('names the way a call takes', () => {
    expect(judge({ ...all, udp: failed('ice') })[0].title).toContain('over TCP');
    expect(judge({ ...all, udp: failed('ice'), tcp: failed('ice') })[0].title).toContain('over a relay');
    expect(judge({ ...all, udp: absent })[0].text).toContain('offers no UDP');
  });

  test('every device trouble has a title and a remedy', () => {
    for (const trouble of ['silent', 'denied', 'busy', 'missing', 'insecure', 'failed'] as const) {
      for (const [kind, change] of [['camera', { camera: trouble }], ['microphone', { mic: trouble }]] as const) {
        const [{ title, text }] = judge({ ...all, ...change });
        expect(title).toContain(`The ${kind} `);
        expect(text.length).toBeGreaterThan(20);
      }
    }
  });
});

describe('rows', () => {
  test('a path says what it measured, or how far it came', () => {
    expect(pathRow('udp', good, false)).toMatchObject({ state: 'ok', note: '20 ms · 0 % lost' });
    expect(pathRow('udp', { ...good, rtt: 0, lossUp: 1.1, lossDown: 2.2 }, false).note).toBe('<1 ms · 3.3 % lost');
    expect(pathRow('udp', { ...good, rtt: -1 }, false).note).toBe('0 % lost');
    expect(pathRow('tcp', failed('dtls'), false)).toMatchObject({ state: 'fail', note: expect.stringContaining('key exchange') });
    expect(pathRow('tcp', absent, false)).toMatchObject({ state: 'off' });
    expect(pathRow('tcp', undefined, true)).toMatchObject({ state: 'running' });
    expect(pathRow('relay', { ...good, via: 'tls' }, false).label).toBe('Relay (TURN over TLS)');
  });

  test('a finished result has six', () => {
    const { devices, paths } = rowsOf({ ...all, mic: 'silent', speakers: 'untried' });
    expect(devices.map((r) => r.state)).toEqual(['ok', 'fail', 'idle']);
    expect(paths.map((r) => r.id)).toEqual(['udp', 'tcp', 'relay']);
  });
});

test.each([
  ['Mozilla/5.0 (X11; Linux x86_64) AppleWebKit/537.36 (KHTML, like Gecko) HeadlessChrome/156.0.0.0 Safari/537.36', 'Chrome 156 on Linux'],
  ['Mozilla/5.0 (Windows NT 10.0; Win64; x64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/156.0.0.0 Safari/537.36 Edg/156.0.0.0', 'Edge 156 on Windows'],
  ['Mozilla/5.0 (Macintosh; Intel Mac OS X 10_15_7) AppleWebKit/605.1.15 (KHTML, like Gecko) Version/26.1 Safari/605.1.15', 'Safari 26.1 on macOS'],
  ['Mozilla/5.0 (iPhone; CPU iPhone OS 18_5 like Mac OS X) AppleWebKit/605.1.15 (KHTML, like Gecko) Version/18.5 Mobile/15E148 Safari/604.1', 'Safari 18.5 on iOS'],
  ['Mozilla/5.0 (Android 15; Mobile; rv:145.0) Gecko/145.0 Firefox/145.0', 'Firefox 145 on Android'],
  ['curl/8', 'Unknown browser'],
])('%s', (agent, name) => expect(browserName(agent)).toBe(name));
