/**
 * Two ends of a connection that never leaves the process: what `Link` needs of a socket, without a
 * socket. Bytes are copied on their way, as a kernel does, because whoever wrote them may reuse its
 * buffer at once.
 */
import type { Socket } from 'node:net';
import { Duplex } from 'node:stream';

export class MemorySocket extends Duplex {
  readonly remoteAddress = '127.0.0.1';
  readonly remotePort = 40_000;
  peer: MemorySocket | null = null;
  /** Holds a write back until the other end has read what it has. */
  #resumeWrite: (() => void) | null = null;

  /** As code that expects a real one sees it. */
  asSocket(): Socket {
    return this as unknown as Socket;
  }

  setNoDelay(): this {
    return this;
  }

  setKeepAlive(): this {
    return this;
  }

  setTimeout(): this {
    return this;
  }

  ref(): this {
    return this;
  }

  unref(): this {
    return this;
  }

  /** Closes without a good-bye: what a reset connection looks like to the other end. */
  reset(): void {
    const peer = this.peer;
    this.destroy();
    peer?.destroy(Object.assign(new Error('read ECONNRESET'), { code: 'ECONNRESET' }));
  }

  override _read(): void {
    const resume = this.#resumeWrite;
    this.#resumeWrite = null;
    resume?.();
  }

  override _write(chunk: Buffer, _encoding: BufferEncoding, done: () => void): void {
    const peer = this.peer;
    if (peer === null || peer.destroyed || peer.push(Buffer.from(chunk))) done();
    else peer.#resumeWrite = done;
  }

  override _final(done: () => void): void {
    if (this.peer !== null && !this.peer.destroyed) this.peer.push(null);
    done();
  }

  override _destroy(error: Error | null, done: (error: Error | null) => void): void {
    const peer = this.peer;
    this.peer = null;
    const resume = this.#resumeWrite;
    this.#resumeWrite = null;
    resume?.();
    if (peer !== null && !peer.destroyed && !peer.readableEnded) peer.push(null);
    done(error);
  }
}

/** Two connected ends. */
export function memorySockets(): readonly [MemorySocket, MemorySocket] {
  const near = new MemorySocket();
  const far = new MemorySocket();
  near.peer = far;
  far.peer = near;
  return [near, far];
}
