// A TCP forwarder between a page and the server, to cut the websocket without the page's or the server's help.
import { once } from 'node:events';
import net from 'node:net';

export async function startProxy(port) {
  const sockets = new Set();
  const ways = new Set(); // [from, to], one for each direction
  let open = true, held = false;
  const server = net.createServer((from) => {
    if (!open) return from.resetAndDestroy();
    const to = net.connect(port, '127.0.0.1');
    for (const way of [[from, to], [to, from]]) {
      const [a, b] = way;
      sockets.add(a);
      ways.add(way);
      a.on('error', () => b.destroy());
      a.on('close', () => { sockets.delete(a); ways.delete(way); b.destroy(); });
      if (!held) a.pipe(b);
    }
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  return {
    port: server.address().port,
    /** Breaks every connection and refuses new ones. */
    cut() {
      open = false;
      for (const s of sockets) s.resetAndDestroy();
    },
    /** Lets nothing pass, and says nothing. */
    hold() {
      held = true;
      for (const [a, b] of ways) a.unpipe(b);
    },
    mend() {
      open = true;
      if (held) for (const [a, b] of ways) a.pipe(b);
      held = false;
    },
    close: () => new Promise((done) => {
      server.close(done);
      for (const s of sockets) s.destroy();
    }),
  };
}
