// A small network of namespaces on one bridge. It needs root and a network namespace of its own (scripts/e2e gives one,
// with its own list of named namespaces, so nothing outlives the run): that one is the switch, where packets are
// counted and dropped, and the place of the test itself, which can reach every node.
import { execFile } from 'node:child_process';
import { promisify } from 'node:util';

const exec = promisify(execFile);
const run = (...argv) => exec(argv[0], argv.slice(1)).then((r) => r.stdout);
const subnet = '10.77.0';

export class Lab {
  #nodes = new Map(); // name → address

  /** nodes: names of namespaces; each gets eth0 with the next address from .1 on. */
  static async open(...nodes) {
    const lab = new Lab();
    await run('ip', 'link', 'add', 'lab0', 'type', 'bridge');
    await run('ip', 'addr', 'add', `${subnet}.254/24`, 'dev', 'lab0');
    await run('ip', 'link', 'set', 'lab0', 'up');
    for (const [i, node] of nodes.entries()) await lab.#add(node, `${subnet}.${i + 1}`);
    return lab;
  }

  async #add(node, address) {
    this.#nodes.set(node, address);
    await run('ip', 'netns', 'add', node);
    await run('ip', 'link', 'add', `p-${node}`, 'type', 'veth', 'peer', 'name', 'eth0', 'netns', node);
    await run('ip', 'link', 'set', `p-${node}`, 'master', 'lab0', 'up');
    await run('ip', '-n', node, 'link', 'set', 'lo', 'up');
    await run('ip', '-n', node, 'addr', 'add', `${address}/24`, 'dev', 'eth0');
    await run('ip', '-n', node, 'link', 'set', 'eth0', 'up');
    // A browser that may not tell its addresses gathers on the default route only.
    await run('ip', '-n', node, 'route', 'add', 'default', 'via', `${subnet}.254`);
  }

  address(node) { return this.#nodes.get(node); }

  /** Gives a node one more address. */
  async also(node, address) { await run('ip', '-n', node, 'addr', 'add', `${address}/24`, 'dev', 'eth0'); }

  /**
   * Adds a node that is to another what a container is to its host: a private address behind it, and one published
   * port, TCP and UDP. Its address in the lab is the host's.
   */
  async container(node, host, port) {
    this.#nodes.set(node, this.address(host));
    await run('ip', 'netns', 'add', node);
    await run('ip', 'link', 'add', 'inner', 'netns', host, 'type', 'veth', 'peer', 'name', 'eth0', 'netns', node);
    for (const [where, device, address] of [[host, 'inner', '172.31.0.1/24'], [node, 'eth0', '172.31.0.2/24']]) {
      await run('ip', '-n', where, 'addr', 'add', address, 'dev', device);
      await run('ip', '-n', where, 'link', 'set', device, 'up');
    }
    await run('ip', '-n', node, 'link', 'set', 'lo', 'up');
    await run('ip', '-n', node, 'route', 'add', 'default', 'via', '172.31.0.1');
    await run('ip', 'netns', 'exec', host, 'sysctl', '-qw', 'net.ipv4.ip_forward=1');
    await run('ip', 'netns', 'exec', host, 'nft', `add table ip nat { chain in { type nat hook prerouting priority -100;
      iifname "eth0" tcp dport ${port} dnat to 172.31.0.2; iifname "eth0" udp dport ${port} dnat to 172.31.0.2; };
      chain out { type nat hook postrouting priority 100; oifname "eth0" masquerade; }; }`);
  }

  /** Applies nft rules to every packet that crosses the bridge; replaces those before. */
  async rules(...rules) {
    await this.clear();
    await run('nft', `add table bridge lab { chain cross { type filter hook forward priority 0; ${rules.join('; ')}; }; }`);
  }

  async clear() { await run('nft', 'delete', 'table', 'bridge', 'lab').catch(() => {}); }

  /** Packets and bytes each counted rule saw, in the order of the rules: [{packets, bytes}]. */
  async counts() {
    const { nftables } = JSON.parse(await run('nft', '-j', 'list', 'table', 'bridge', 'lab'));
    return nftables.flatMap((o) => o.rule?.expr ?? []).flatMap((e) => e.counter ?? []);
  }

  /** Bytes a node's interface has received. */
  async received(node, device) {
    const [link] = JSON.parse(await run('ip', '-n', node, '-s', '-j', 'link', 'show', device));
    return link.stats64.rx.bytes;
  }

  async close() {
    await this.clear();
    for (const node of this.#nodes.keys()) await run('ip', 'netns', 'del', node);
    await run('ip', 'link', 'del', 'lab0');
  }
}
