/**
 * Connections without sockets and an event loop without time. Bytes written to one end of a wire
 * arrive at the other when `run` is called, in the order of writing, one chunk at a time; nothing
 * happens behind a test's back, so a conversation is a plain function and takes no `await`.
 *
 * As with a kernel between them, a write has returned before the other end hears of it, written
 * bytes are copied, and a chunk may arrive in any number of pieces: `cut` says in how many.
 */
import { EventEmitter } from 'node:events';
import type { Socket } from 'node:net';
import type { OnRead } from '../support/dialled.ts';

/** Whose turn of the event loop it is; `setImmediate` of the program belongs to it. */
let playing: Wires | null = null;
const realImmediate = setImmediate;
globalThis.setImmediate = ((callback: () => void) => {
  if (playing === null) return realImmediate(callback);
  playing.immediates.push(callback);
  return undefined;
}) as unknown as typeof setImmediate;

export class Wires {
  /** Where to cut `bytes` bytes on their way to the program; ascending, in (0, bytes). */
  cut: (bytes: number) => readonly number[] = () => [];
  /** A turn of the event loop ends after each event, not when nothing more is due. */
  shortTurns = false;
  /** What the program has put off to the end of the turn. */
  readonly immediates: (() => void)[] = [];
  readonly #events: (() => void)[] = [];
  #running = false;

  constructor() {
    // What an earlier test has left for the end of its turn is state of the program's.
    for (const immediate of playing?.immediates.splice(0) ?? []) immediate();
    playing = this;
  }

  /** An end for the program under test and an end for whoever talks to it. */
  pair(): readonly [tested: WireEnd, scripted: WireEnd] {
    const tested = new WireEnd(this, true);
    const scripted = new WireEnd(this, false);
    tested.peer = scripted;
    scripted.peer = tested;
    return [tested, scripted];
  }

  /** Something happens after everything that is due already. */
  post(event: () => void): void {
    this.#events.push(event);
  }

  /** Lets everything happen that is due. Called by what is happening, it does nothing. */
  run(): void {
    if (this.#running) return;
    this.#running = true;
    try {
      while (this.#events.length > 0 || this.immediates.length > 0) this.#turn();
    } finally {
      this.#running = false;
    }
  }

  #turn(): void {
    for (let event = this.#events.shift(); event !== undefined; event = this.#events.shift()) {
      event();
      if (this.shortTurns) break;
    }
    for (const immediate of this.immediates.splice(0)) immediate();
  }
}

const POISON = 0xee;

/** What `Link` and `ScriptedPeer` need of a socket. */
export class WireEnd extends EventEmitter {
  peer: WireEnd | null = null;
  destroyed = false;
  /** A deadline of the socket's own never comes here. */
  readonly setTimeout = (): this => this;
  /** Writes are taken, but answered with "that is enough for now". */
  full = false;
  readonly writableLength = 0;
  /** Bytes are read into its buffer, again and again the same one, instead of being emitted. */
  onRead: OnRead | null = null;
  readonly #wires: Wires;
  readonly #tested: boolean;
  readonly #incoming: Buffer[] = [];
  #paused = false;
  #finished = false;
  #peerFinished = false;
  #endShown = false;

  constructor(wires: Wires, tested: boolean) {
    super();
    this.#wires = wires;
    this.#tested = tested;
  }

  asSocket(): Socket {
    return this as unknown as Socket;
  }

  /** Whether the end does not want to hear what arrives. */
  get paused(): boolean {
    return this.#paused;
  }

  write(chunk: Buffer): boolean {
    if (!this.#finished && !this.destroyed) this.peer?.arrive(Buffer.from(chunk));
    this.#stir();
    return !this.full;
  }

  end(): void {
    if (this.#finished || this.destroyed) return;
    this.#finished = true;
    this.peer?.arriveEnd();
    this.#closeIfOver();
    this.#stir();
  }

  destroy(error: Error | null = null): void {
    if (this.destroyed) return;
    this.destroyed = true;
    this.#incoming.length = 0;
    const peer = this.peer;
    this.peer = null;
    this.#wires.post(() => {
      if (error !== null) this.emit('error', error);
      this.emit('close');
    });
    peer?.arriveEnd();
    this.#stir();
  }

  /** Gone without a good-bye: the other end hears of a reset. */
  reset(): void {
    const peer = this.peer;
    this.destroy();
    peer?.destroy(Object.assign(new Error('read ECONNRESET'), { code: 'ECONNRESET' }));
  }

  /** The peer reads again. */
  drain(): void {
    this.full = false;
    this.#wires.post(() => this.emit('drain'));
  }

  pause(): void {
    this.#paused = true;
  }

  resume(): void {
    this.#paused = false;
    this.#wires.post(() => this.#pump());
  }

  arrive(chunk: Buffer): void {
    if (this.destroyed) return;
    let from = 0;
    for (const at of this.#tested ? this.#wires.cut(chunk.length) : []) {
      this.#incoming.push(chunk.subarray(from, at));
      from = at;
    }
    this.#incoming.push(chunk.subarray(from));
    this.#wires.post(() => this.#pump());
  }

  arriveEnd(): void {
    this.#peerFinished = true;
    this.#wires.post(() => this.#pump());
  }

  /** Shows one chunk, or the end behind the last one. */
  #pump(): void {
    if (this.#paused || this.destroyed) return;
    const chunk = this.#incoming.shift();
    if (chunk !== undefined) {
      this.#wires.post(() => this.#pump());
      this.#show(chunk);
    } else if (this.#peerFinished && !this.#endShown) {
      this.#endShown = true;
      this.emit('end');
      // Whoever is scripted hangs up when the program does, as a driver or a server would.
      if (!this.#tested) this.end();
      this.#closeIfOver();
    }
  }

  #show(chunk: Buffer): void {
    const { onRead } = this;
    if (onRead === null) {
      this.emit('data', chunk);
      return;
    }
    const buffer = onRead.buffer();
    const bytes = Math.min(chunk.length, buffer.length);
    chunk.copy(buffer, 0, 0, bytes);
    if (bytes < chunk.length) this.#incoming.unshift(chunk.subarray(bytes));
    onRead.callback(bytes, buffer);
    // Whoever has kept a view of what was only lent must not get away with it.
    if (onRead.buffer() === buffer) buffer.fill(POISON, 0, bytes);
  }

  /** What a script does takes effect at once; what the program does, when it has returned. */
  #stir(): void {
    if (!this.#tested) this.#wires.run();
  }

  #closeIfOver(): void {
    if (this.#finished && this.#endShown) this.destroy();
  }
}
