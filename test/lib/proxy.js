// A TCP forwarder between a page and the server, to cut the websocket without the page's or the server's help.
import { once } from 'node:events';
import net from 'node:net';

export async function startProxy(port) {
  const sockets = new Set();
  let open = true;
  const server = net.createServer((from) => {
    if (!open) return from.resetAndDestroy();
    const to = net.connect(port, '127.0.0.1');
    for (const [a, b] of [[from, to], [to, from]]) {
      sockets.add(a);
      a.on('error', () => b.destroy());
      a.on('close', () => { sockets.delete(a); b.destroy(); });
    }
    from.pipe(to).pipe(from);
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
    mend() { open = true; },
    close: () => new Promise((done) => {
      server.close(done);
      for (const s of sockets) s.destroy();
    }),
  };
}
