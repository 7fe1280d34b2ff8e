// A browser that has the stream and may not play it, as Safari does before somebody has touched the page. Safari itself
// is not here: Chromium's page is kept from the canplay event, and its play() is refused in the words of browsers.
import assert from 'node:assert/strict';
import { stage } from '../lib/stage.js';
import { until } from '../lib/wait.js';

const play = stage({ env: { OPENVIDU_BROWSER_LOGS: 'debug' } });

const diagnosis = async (s, session, person) => {
  const answer = await s.server.get(`/openvidu/api/sessions/${session.sessionId}/connection/${person.connection}/diagnosis`);
  return answer.status === 200 ? (await answer.json()).content : [];
};

/** The page of a browser that waits for a click. */
const untouched = (person) => person.evaluate(() => {
  const listen = HTMLMediaElement.prototype.addEventListener;
  HTMLMediaElement.prototype.addEventListener = function add(type, ...rest) {
    if (type !== 'canplay') listen.call(this, type, ...rest);
  };
  HTMLMediaElement.prototype.play = () => Promise.reject(new DOMException('play() failed because the user didn\'t interact with the document first.', 'NotAllowedError'));
});

play('FAQ_12__a viewer whose browser does not play is told from one whose network fails', async (s) => {
  const session = await s.session();
  const ada = await s.join(session);
  await ada.publish();
  const ben = await s.page();
  await untouched(ben);
  await ben.join(await s.token(session), {});
  await ben.event('exception', (e) => e.name === 'NO_STREAM_PLAYING_EVENT');

  let records = [];
  const found = await until('the server says why', async () => {
    records = await diagnosis(s, session, ben);
    return records.find((r) => r.code === 'AUTOPLAY_BLOCKED');
  }, { within: 20_000, last: () => records });
  assert.equal(found.side, 'client');
  assert.equal(found.severity, 'warning');
  assert.equal(found.streamId, ada.stream);
  assert.match(found.evidence.join(' '), /NO_STREAM_PLAYING_EVENT.*packets of video/);
  assert.deepEqual(records.map((r) => r.code), ['AUTOPLAY_BLOCKED'], 'nothing else is wrong');
  assert.deepEqual(await diagnosis(s, session, ada), [], 'nor with who is watched');
});
