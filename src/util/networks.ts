/**
 * Sets of networks in CIDR notation, and whether an address is in one.
 *
 * Node's `BlockList` does the arithmetic, and knows that `::ffff:10.1.2.3`, as a listener on `::`
 * sees an IPv4 client, is `10.1.2.3`. This is the one place outside `net/` that imports from
 * `node:net`: it takes pure functions from there, and opens nothing.
 */
import { BlockList, isIP } from 'node:net';

const BITS_IPV4 = 32;
const BITS_IPV6 = 128;

/** `10.1.0.0/16`, `fd00::/8`, or one address. */
export function isNetwork(text: string): boolean {
  return splitNetwork(text) !== null;
}

export class NetworkSet {
  readonly #list = new BlockList();

  /** Every text must have passed `isNetwork`. */
  constructor(networks: readonly string[]) {
    for (const text of networks) {
      const network = splitNetwork(text);
      if (network === null) throw new TypeError(`not a network: ${text}`);
      this.#list.addSubnet(network.address, network.bits, network.family);
    }
  }

  /** Never throws. What is no IP address (a unix socket has none) is in no network. */
  has(address: string | null | undefined): boolean {
    // A link-local peer comes with the name of its interface: fe80::1%eth0.
    const bare = (address ?? '').split('%', 1)[0]!;
    const version = isIP(bare);
    if (version === 0) return false;
    return this.#list.check(bare, version === 4 ? 'ipv4' : 'ipv6');
  }
}

/** Whether the address can only be reached from this machine. A unix socket's path counts. */
export function isLoopback(address: string): boolean {
  return address === 'localhost' || address.startsWith('/') || loopback.has(address);
}

function splitNetwork(
  text: string,
): { address: string; bits: number; family: 'ipv4' | 'ipv6' } | null {
  const [address = '', suffix, ...rest] = text.split('/');
  const version = isIP(address);
  if (version === 0 || rest.length > 0 || address.includes('%')) return null;
  const bitsMax = version === 4 ? BITS_IPV4 : BITS_IPV6;
  if (suffix !== undefined && !/^\d{1,3}$/.test(suffix)) return null;
  const bits = suffix === undefined ? bitsMax : Number(suffix);
  if (bits > bitsMax) return null;
  return { address, bits, family: version === 4 ? 'ipv4' : 'ipv6' };
}

const loopback = new NetworkSet(['127.0.0.0/8', '::1']);
