/** Opens connections to servers. TLS, when it is wanted, comes afterwards (`tls.ts`). */
import net from 'node:net';
import { Link, type LinkHandler } from './link.ts';
import { ReadBuffer } from './read-buffer.ts';

/** A peer that says nothing is asked this often whether it is still there. */
const KEEPALIVE_MS = 30_000;

export interface Address {
  /** A name, an address, or the directory of a unix socket when it begins with `/`. */
  readonly host: string;
  readonly port: number;
}

/**
 * Starts to connect; `connected` is called once if that succeeds. If not, the handler's `onClose`
 * says why, as it does for every later end of the link.
 */
export function dial(address: Address, handler: LinkHandler, connected: () => void): Link {
  const readBuffer = new ReadBuffer();
  const onread = {
    buffer: () => readBuffer.bytes,
    callback: (length: number): boolean => {
      readBuffer.pass(link, length);
      return true;
    },
  };
  const socket = address.host.startsWith('/')
    ? net.connect({ path: `${address.host}/.s.PGSQL.${address.port}`, onread })
    : net.connect({
        host: address.host,
        port: address.port,
        noDelay: true,
        keepAlive: true,
        keepAliveInitialDelay: KEEPALIVE_MS,
        onread,
      });
  const link = new Link(socket, handler, true);
  socket.once('connect', connected);
  return link;
}
