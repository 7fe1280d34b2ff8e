// Publishers that ask for simulcast, which the server does not do: they send their best layer, not the worst.
import { stage } from '../lib/stage.js';
import { until } from '../lib/wait.js';

const play = stage();

play('a publisher with videoSimulcast is not seen in its smallest size', async (s) => {
  const session = await s.session();
  const [a, b] = await s.joinAll(session, {}, {});
  await a.publish({ width: 960, height: 540, simulcast: true });
  await b.seesAndHears(a);
  let now;
  await until('the picture is wider than a quarter', async () => { // a browser that lacks time makes it smaller by itself
    now = await b.probe(a);
    return now.picture.width > 240;
  }, { last: () => now.picture });
  await s.assertNever([a, b], 'exception');
});
