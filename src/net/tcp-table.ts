/**
 * Which connections the kernel sends in vain on: bytes the other side does not acknowledge, even
 * though they have been sent again. Keepalive cannot notice that, since it only asks when nothing
 * is under way, and left to itself Linux tries for a quarter of an hour. The option against that,
 * TCP_USER_TIMEOUT, cannot be set from Node; what it looks at can be read from /proc/net/tcp.
 * Elsewhere than on Linux nothing is found.
 *
 * A peer that is merely slow acknowledges probes and is not in here, however long it takes.
 */
import { readFile } from 'node:fs/promises';

const TABLES = ['/proc/net/tcp', '/proc/net/tcp6'] as const;

/** `tr` of a line: what the kernel's timer for the connection is for (Documentation/networking). */
const RETRANSMITTING = '01';
const PROBING = '04';

export interface Endpoints {
  readonly localPort: number;
  readonly remotePort: number;
  readonly remoteAddress: string;
}

/** The connections that send in vain at this moment, by `endpointsKey`. */
export async function readUnacknowledged(): Promise<ReadonlySet<string>> {
  const stuck = new Set<string>();
  for (const table of TABLES) {
    addUnacknowledged(await readFile(table, 'latin1').catch(() => ''), stuck);
  }
  return stuck;
}

export function endpointsKey({ localPort, remotePort, remoteAddress }: Endpoints): string {
  return `${localPort} ${remotePort} ${shortAddress(remoteAddress)}`;
}

/**
 * Takes in one table. Columns: number, local, remote, state, tx_queue:rx_queue, tr:when, retrnsmt,
 * uid, timeout (probes sent without an answer), and more.
 */
export function addUnacknowledged(table: string, to: Set<string>): void {
  for (const line of table.split('\n').slice(1)) {
    const columns = line.trim().split(/ +/);
    const [, local = '', remote = '', , queues = '', timer = '', retransmits = '0', , probes] =
      columns;
    if (queues.startsWith('00000000:')) continue;
    const kind = timer.slice(0, 2);
    const inVain =
      (kind === RETRANSMITTING && Number.parseInt(retransmits, 16) > 0) ||
      (kind === PROBING && Number(probes) > 0);
    if (inVain) to.add(`${portOf(local)} ${portOf(remote)} ${addressOf(remote)}`);
  }
}

function portOf(endpoint: string): number {
  return Number.parseInt(endpoint.slice(endpoint.indexOf(':') + 1), 16);
}

/** Words of four bytes, each in the order of the machine, which is taken to be little-endian. */
function addressOf(endpoint: string): string {
  const hex = endpoint.slice(0, endpoint.indexOf(':'));
  const isV4 = hex.length === 8 || hex.startsWith('0000000000000000FFFF0000');
  if (!isV4) return 'v6';
  const bytes = hex.slice(-8).match(/../g) ?? [];
  return bytes
    .reverse()
    .map((byte) => Number.parseInt(byte, 16))
    .join('.');
}

/** IPv6 addresses are not told apart: two ports do nearly always. */
function shortAddress(address: string): string {
  const v4 = address.startsWith('::ffff:') ? address.slice(7) : address;
  return v4.includes(':') ? 'v6' : v4;
}
