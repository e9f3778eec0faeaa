/**
 * One socket, plain or TLS, seen as the data plane needs it: bytes in by callback, bytes out by
 * `write`, a boolean for "the peer is slow", and nothing else of Node's stream interface.
 *
 * Small writes are collected and leave together: system calls are the currency here, so what one
 * turn of the event loop produced for a link goes out in one write. Bytes up to COPY_BYTES_MAX
 * are copied into a shared slab; larger ones are handed to the socket as they are, which keeps
 * their chunk alive until the kernel has taken them.
 *
 * What is collected leaves when every socket that was readable in this turn has been read
 * (`setImmediate` runs right after the poll), not after each: a write wakes the peer, which on a
 * busy machine takes the processor from us before the next socket is read. Measured at 64 clients:
 * a quarter more statements per second.
 *
 * Budget: no allocation per small write; one slab per link with unsent bytes, reused at once when
 * the kernel takes all of it, which is the normal case.
 */
import type { Socket } from 'node:net';
import type { TLSSocket } from 'node:tls';
import { isShared } from './read-buffer.ts';

export interface LinkHandler {
  /** `chunk` is borrowed until return: what is read next overwrites it. */
  onData(chunk: Buffer): void;
  /** A link that was full has room again. */
  onDrain(): void;
  /** The peer has said it will send no more (FIN). */
  onEnd(): void;
  /** Called exactly once, last. `error` is null when the link closed in good order. */
  onClose(error: Error | null): void;
}

/** Why a link closed whose handler threw: a defect of ours, which must end nothing but the link. */
export class HandlerFailed extends Error {
  override readonly name = 'HandlerFailed';

  constructor(cause: unknown) {
    super('internal error', { cause });
  }
}

const SLAB_BYTES = 16_384;
/** Copying this much costs less than one more buffer in a gathered write (bench/micro). */
export const COPY_BYTES_MAX = 4_096;
/** A peer that has been told goodbye may be silent this long before it closes its side. */
const LINGER_MS = 5_000;
/** Slabs kept for the next link; more than this many are left to the garbage collector. */
const SPARE_SLABS_MAX = 64;

const spareSlabs: Buffer[] = [];
let dirtyLinks: Link[] = [];
/** A large run was handed to a socket that has not sent it all: its chunk is not to be reused. */
let chunkRetained = false;

function flushDirtyLinks(): void {
  const links = dirtyLinks;
  dirtyLinks = [];
  for (const link of links) link.flush();
}

export class Link {
  socket: Socket | TLSSocket;
  handler: LinkHandler;
  /** No byte may be written any more. */
  closed: boolean;
  /** More is waiting for the peer than it takes; stop feeding until `onDrain`. */
  full: boolean;
  paused: boolean;
  bytesRead: number;
  bytesWritten: number;
  #slab: Buffer | null;
  #slabLength: number;
  #dirty: boolean;
  #ending: boolean;
  #error: Error | null;
  #readsIntoBuffer: boolean;

  /** `readsIntoBuffer`: the socket was made with `onread`, whose callback calls `take`. */
  constructor(socket: Socket, handler: LinkHandler, readsIntoBuffer = false) {
    this.socket = socket;
    this.handler = handler;
    this.closed = false;
    this.full = false;
    this.paused = false;
    this.bytesRead = 0;
    this.bytesWritten = 0;
    this.#slab = null;
    this.#slabLength = 0;
    this.#dirty = false;
    this.#ending = false;
    this.#error = null;
    this.#readsIntoBuffer = readsIntoBuffer;
    this.#attach(socket);
  }

  /** Whether the peer's side is encrypted. */
  get encrypted(): boolean {
    return 'encrypted' in this.socket;
  }

  /**
   * Sends bytes `[start, end)`. Small runs are copied, so the caller may reuse its buffer, and so
   * is what was read into the shared buffer; another run above COPY_BYTES_MAX is kept until sent
   * and must not be written to again. Returns false when the peer has enough to chew on.
   */
  write(buffer: Buffer, start: number, end: number): boolean {
    if (this.closed || this.#ending) return true;
    const bytes = end - start;
    this.bytesWritten += bytes;
    if (bytes > COPY_BYTES_MAX) {
      this.flush();
      const run = buffer.subarray(start, end);
      if (!this.socket.write(isShared(buffer) ? Buffer.from(run) : run)) this.full = true;
      if (this.socket.writableLength > 0) chunkRetained = true;
      return !this.full;
    }
    if (this.#slab !== null && this.#slabLength + bytes > SLAB_BYTES) this.flush();
    if (this.#slab === null) this.#slab = spareSlabs.pop() ?? Buffer.allocUnsafeSlow(SLAB_BYTES);
    if (bytes < 24) {
      const slab = this.#slab;
      let to = this.#slabLength;
      for (let from = start; from < end; from++) slab[to++] = buffer[from] as number;
    } else {
      buffer.copy(this.#slab, this.#slabLength, start, end);
    }
    this.#slabLength += bytes;
    if (!this.#dirty) {
      this.#dirty = true;
      if (dirtyLinks.push(this) === 1) setImmediate(flushDirtyLinks);
    }
    return !this.full;
  }

  /** Sends a whole buffer; the same rules as `write`. */
  writeAll(buffer: Buffer): boolean {
    return this.write(buffer, 0, buffer.length);
  }

  /** Hands what has been collected to the socket. */
  flush(): void {
    this.#dirty = false;
    const slab = this.#slab;
    const length = this.#slabLength;
    if (slab === null || length === 0) return;
    this.#slab = null;
    this.#slabLength = 0;
    if (this.closed) return;
    if (this.socket.writableLength > 0) {
      // It will have to wait behind others: a whole slab would be much to hold for a few bytes.
      if (!this.socket.write(Buffer.from(slab.subarray(0, length)))) this.full = true;
      if (spareSlabs.length < SPARE_SLABS_MAX) spareSlabs.push(slab);
      return;
    }
    if (!this.socket.write(slab.subarray(0, length))) this.full = true;
    // Nothing left in the stream's queue means that the kernel (or the TLS engine) has copied it.
    if (this.socket.writableLength === 0 && spareSlabs.length < SPARE_SLABS_MAX) {
      spareSlabs.push(slab);
    }
  }

  /** Begins to read an accepted connection, unless its handler has paused it. */
  start(): void {
    if (!this.paused && !this.closed) this.socket.resume();
  }

  pause(): void {
    if (this.paused || this.closed) return;
    this.paused = true;
    this.socket.pause();
  }

  resume(): void {
    if (!this.paused || this.closed) return;
    this.paused = false;
    this.socket.resume();
  }

  /** Sends what is pending, then closes in good order. What the peer still sends is dropped. */
  end(): void {
    if (this.closed || this.#ending) return;
    this.flush();
    this.#ending = true;
    // Closing with unread input would make the kernel send a reset, and the peer could lose our
    // last words; so what it still sends is read and dropped, but not for ever.
    this.socket.end();
    this.socket.resume();
    this.socket.setTimeout(LINGER_MS, () => this.socket.destroy());
  }

  /** Closes at once; what is pending is lost. */
  destroy(): void {
    if (this.closed) return;
    this.socket.destroy();
  }

  /** Gives bytes back, to be read again by whatever reads the socket next. Pauses the link. */
  unread(bytes: Buffer): void {
    this.pause();
    this.bytesRead -= bytes.length;
    this.socket.unshift(bytes);
  }

  /** Moves the link onto another socket: the TLS layer above the one it had. */
  replaceSocket(socket: TLSSocket): void {
    this.flush();
    this.#detach(this.socket);
    this.#readsIntoBuffer = false;
    this.socket = socket;
    this.#attach(socket);
    if (this.paused) socket.pause();
  }

  /**
   * What has been read, from whatever it was read with. True when part of it was written on and
   * has not been sent yet: the chunk must then be left alone.
   */
  take(chunk: Buffer): boolean {
    if (this.#ending || this.closed) return false;
    this.bytesRead += chunk.length;
    chunkRetained = false;
    try {
      this.handler.onData(chunk);
    } catch (error) {
      this.broken(error);
    }
    return chunkRetained;
  }

  drained(): void {
    this.full = false;
    try {
      this.handler.onDrain();
    } catch (error) {
      this.broken(error);
    }
  }

  ended(): void {
    if (this.#ending) return void this.socket.destroy();
    try {
      this.handler.onEnd();
    } catch (error) {
      this.broken(error);
    }
  }

  /** Whoever handles it has failed in the middle: nobody knows what state it is in. */
  broken(error: unknown): void {
    this.failed(new HandlerFailed(error));
    this.socket.destroy();
  }

  failed(error: Error): void {
    this.#error = error;
  }

  gone(): void {
    if (this.closed) return;
    this.closed = true;
    this.#slab = null;
    this.handler.onClose(this.#error);
  }

  #attach(socket: LinkedSocket): void {
    socket[LINK] = this;
    // Listening makes the stream flow, which a socket that reads into a ReadBuffer must not.
    if (!this.#readsIntoBuffer) socket.on('data', onData);
    socket.on('drain', onDrain);
    socket.on('end', onEnd);
    socket.on('error', onError);
    socket.on('close', onClose);
  }

  #detach(socket: LinkedSocket): void {
    socket.off('data', onData);
    socket.off('drain', onDrain);
    socket.off('end', onEnd);
    socket.off('close', onClose);
    // The error handler stays: an error of the layer below must never be unhandled.
  }
}

/** The link of a socket. Listeners shared by all sockets find it here: closures of their own would
 * be a tenth of what an idle client costs. */
const LINK = Symbol('link');

type LinkedSocket = Socket & { [LINK]?: Link };

function onData(this: LinkedSocket, chunk: Buffer): void {
  this[LINK]?.take(chunk);
}

function onDrain(this: LinkedSocket): void {
  this[LINK]?.drained();
}

function onEnd(this: LinkedSocket): void {
  this[LINK]?.ended();
}

function onError(this: LinkedSocket, error: Error): void {
  this[LINK]?.failed(error);
}

function onClose(this: LinkedSocket): void {
  this[LINK]?.gone();
}
