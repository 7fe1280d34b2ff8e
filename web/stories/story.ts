// One story is one address: /?people=6&screen&chat&link=reconnecting&notice&busy&blocked&ended=networkDisconnect
import { mount } from 'svelte';
import '../src/app.css';
import CallView from '../src/ui/CallView.svelte';
import Ended from '../src/ui/Ended.svelte';
import { PaintedRoom } from './painted-room.svelte';

const asked = new URLSearchParams(location.search);
const target = document.body;

if (asked.has('ended')) {
  mount(Ended, { target, props: { room: 'amber-courtyard-k7f2q', reason: asked.get('ended') ?? '', onback: () => location.reload() } });
} else {
  const room = new PaintedRoom(Number(asked.get('people') ?? 3));
  if (asked.has('screen')) room.shareFrom(1);
  if (asked.has('sharing')) void room.toggleScreen();
  if (asked.has('chat')) room.openChat(true);
  if (asked.has('said')) room.talk();
  if (asked.has('blocked')) room.playback.blocked = true;
  const link = asked.get('link');
  if (link === 'reconnecting' || link === 'resumed') room.do({ type: 'reconnecting' });
  if (link === 'resumed') room.do({ type: 'reconnected' });
  if (asked.has('notice')) {
    room.do({ type: 'notice', trouble: true, text: 'The media connection from Noor is interrupted. It usually comes back in a few seconds.' });
  }
  if (asked.has('busy')) {
    room.do({ type: 'notice', trouble: true, offer: 'drawing', text: 'You are in with sound only. Another program is using your camera (HD Webcam). Close it there, then try again.' });
  }
  mount(CallView, { target, props: { room } });
}
