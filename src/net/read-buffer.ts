/**
 * Buffers that sockets read into again and again (Node's `onread`), instead of one 64 KiB
 * allocation and a trip through the stream machinery per read: at 64 clients a tenth of the
 * processor time of a statement.
 *
 * What is read is therefore borrowed: it is overwritten by the next read. A sink that has to keep
 * bytes copies them; `Link.write` does so by itself where the peer does not take them at once.
 *
 *  - Clients share one buffer. They are many, mostly idle, and rarely send much at once.
 *  - A server has one of its own, so that a large result need not be copied when its client is
 *    slow:
 *    the buffer is left to the pending write, and the server gets another.
 */
import { Socket } from 'node:net';
import type { Link } from './link.ts';

/** What Node reads at once as well. */
const READ_BYTES = 65_536;
const HIGH_WATER_BYTES = 262_144;

const shared = Buffer.allocUnsafeSlow(READ_BYTES);

/** Whether bytes of this buffer are gone after the call that handed them out. */
export function isShared(buffer: Buffer): boolean {
  return buffer.buffer === shared.buffer;
}

export class ReadBuffer {
  bytes: Buffer = Buffer.allocUnsafeSlow(READ_BYTES);

  /** Hands a link what has just been read. */
  pass(link: Link, length: number): void {
    if (link.take(this.bytes.subarray(0, length))) this.bytes = Buffer.allocUnsafeSlow(READ_BYTES);
  }
}

/**
 * A socket as `net.Server` makes it; the handle is what the operating system's socket is to Node.
 */
interface Accepted {
  _handle: unknown;
}

/**
 * Moves an accepted, paused connection onto a socket that reads into the shared buffer.
 * `net.Server` has no option for that, so the handle changes owners: the one thing here that Node
 * does not document, although its own cluster module lives by it. Null where there is no such
 * handle; the accepted socket is then to be used as it is.
 */
export function adopt(accepted: Socket, received: (chunk: Buffer) => void): Socket | null {
  const owner = accepted as unknown as Accepted;
  const handle = owner._handle;
  if (handle === null || typeof handle !== 'object') return null;
  owner._handle = null;
  const options = {
    handle,
    allowHalfOpen: true,
    highWaterMark: HIGH_WATER_BYTES,
    pauseOnCreate: true,
    onread: {
      buffer: shared,
      callback: (length: number): boolean => {
        received(shared.subarray(0, length));
        return true;
      },
    },
  };
  return new Socket(options as ConstructorParameters<typeof Socket>[0]);
}
