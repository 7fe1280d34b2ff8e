// Three and six participants, everybody publishing: two cores carry six small pictures, not more.
import { stage } from '../lib/stage.js';

const play = stage();

play('three participants see and hear each other', async (s) => {
  const session = await s.session();
  const people = await s.joinAll(session, {}, {}, {});
  await Promise.all(people.map((p) => p.publish({ fps: 10 })));
  await s.allSeeAndHear(undefined, { within: 20_000 });
});

play('six participants see and hear each other', async (s) => {
  const session = await s.session();
  const people = await s.joinAll(session, {}, {}, {}, {}, {}, {});
  await Promise.all(people.map((p) => p.publish({ width: 160, height: 120, fps: 8 })));
  await s.allSeeAndHear(undefined, { within: 45_000 });
}, { timeout: 90_000 });
