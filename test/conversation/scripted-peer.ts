/**
 * One end of a conversation that does what a test tells it: sends bytes, and waits for messages by
 * name. Everything both ways goes into the transcript, whole messages only, so that a golden text
 * does not depend on how bytes were cut into chunks.
 *
 * A scripted client reads what a server sends (`B`), a scripted server what a client sends (`F`).
 */
import type { Duplex } from 'node:stream';
import { codeName, type Direction } from '../../src/wire/codes.ts';
import { SSL_REQUEST_CODE } from '../../src/wire/startup.ts';
import type { Transcript } from './transcript.ts';

export type Role = 'client' | 'server';

/** A message that has arrived, with its five header bytes; `StartupMessage` has only four. */
export interface Received {
  readonly name: string;
  readonly bytes: Buffer;
}

/** What the next bytes from the other end are. */
const Framing = { FirstPacket: 0, CharResponse: 1, Messages: 2 } as const;
type Framing = (typeof Framing)[keyof typeof Framing];

interface Wait {
  readonly name: string;
  readonly resolve: (received: Received) => void;
  readonly reject: (error: Error) => void;
}

export class ScriptedPeer {
  readonly name: string;
  readonly role: Role;
  readonly received: Received[] = [];
  /** The other end has said it will send no more. */
  ended = false;
  readonly #stream: Duplex;
  readonly #transcript: Transcript;
  #framing: Framing;
  #pending: Buffer = Buffer.alloc(0);
  /** How many of `received` a wait has already taken or passed over. */
  #taken = 0;
  #wait: Wait | null = null;
  readonly #closed: Promise<void>;

  constructor(role: Role, name: string, stream: Duplex, transcript: Transcript) {
    this.role = role;
    this.name = name;
    this.#stream = stream;
    this.#transcript = transcript;
    this.#framing = role === 'server' ? Framing.FirstPacket : Framing.Messages;
    stream.on('data', (chunk: Buffer) => this.#onData(chunk));
    stream.on('end', () => this.#onEnd());
    stream.on('error', () => {});
    this.#closed = new Promise((resolve) => stream.once('close', () => resolve()));
  }

  /** Sends whole messages. */
  send(...messages: readonly Buffer[]): void {
    for (const message of messages) {
      for (const one of split(message)) this.#transcript.message(this.name, this.#sends, one);
    }
    this.#stream.write(Buffer.concat(messages));
  }

  /** Sends a packet without a code byte: a startup message or a request. */
  sendFirstPacket(packet: Buffer): void {
    this.#transcript.firstPacket(this.name, packet);
    if (packet.readUInt32BE(4) === SSL_REQUEST_CODE) this.#framing = Framing.CharResponse;
    this.#stream.write(packet);
  }

  /** Sends any bytes; the transcript only says how many. For pieces of messages, and garbage. */
  sendRaw(bytes: Buffer): void {
    this.#transcript.note(this.name, `sends ${bytes.length} bytes`);
    this.#stream.write(bytes);
  }

  /** The next message of that name; those before it are passed over, and stay in the transcript. */
  async next(name: string): Promise<Received> {
    while (this.#taken < this.received.length) {
      const received = this.received[this.#taken++] as Received;
      if (received.name === name) return received;
    }
    if (this.ended) throw this.#missing(name);
    return new Promise((resolve, reject) => {
      this.#wait = { name, resolve, reject };
    });
  }

  /** Says good-bye (FIN) after what was sent. */
  end(): void {
    this.#transcript.note(this.name, 'ends');
    this.#stream.end();
  }

  /** Vanishes without a word. */
  destroy(): void {
    this.#transcript.note(this.name, 'vanishes');
    this.#stream.destroy();
  }

  /** Resolves once the connection is gone, whoever closed it. */
  closed(): Promise<void> {
    return this.#closed;
  }

  get #sends(): Direction {
    return this.role === 'client' ? 'F' : 'B';
  }

  get #reads(): Direction {
    return this.role === 'client' ? 'B' : 'F';
  }

  #onData(chunk: Buffer): void {
    this.#pending = Buffer.concat([this.#pending, chunk]);
    while (this.#takeOne()) {
      // Every whole message of the chunk is taken before a wait's owner runs.
    }
  }

  #takeOne(): boolean {
    const pending = this.#pending;
    if (this.#framing === Framing.CharResponse) {
      if (pending.length < 1) return false;
      this.#transcript.charResponse(this.name, pending[0] as number);
      this.#framing = Framing.Messages;
      this.#arrived('SSLResponse', 1);
      return true;
    }
    const lengthAt = this.#framing === Framing.Messages ? 1 : 0;
    if (pending.length < lengthAt + 4) return false;
    const end = lengthAt + pending.readInt32BE(lengthAt);
    if (pending.length < end) return false;
    const bytes = pending.subarray(0, end);
    if (this.#framing === Framing.FirstPacket) {
      this.#transcript.firstPacket(this.name, bytes);
      // A request for encryption is followed by another first packet.
      if (bytes.readUInt16BE(4) === 3) this.#framing = Framing.Messages;
      this.#arrived('StartupMessage', end);
    } else {
      this.#transcript.message(this.name, this.#reads, bytes);
      this.#arrived(codeName(this.#reads, bytes[0] as number), end);
    }
    return true;
  }

  #arrived(name: string, bytes: number): void {
    const received = { name, bytes: Buffer.from(this.#pending.subarray(0, bytes)) };
    this.#pending = this.#pending.subarray(bytes);
    this.received.push(received);
    const wait = this.#wait;
    if (wait === null) return;
    this.#taken = this.received.length;
    if (received.name !== wait.name) return;
    this.#wait = null;
    wait.resolve(received);
  }

  #onEnd(): void {
    this.ended = true;
    this.#transcript.note(this.name, 'was left');
    const wait = this.#wait;
    this.#wait = null;
    wait?.reject(this.#missing(wait.name));
  }

  #missing(name: string): Error {
    return new Error(`${this.name} was left before ${name}:\n${this.#transcript.text()}`);
  }
}

function split(stream: Buffer): Buffer[] {
  const messages: Buffer[] = [];
  for (let at = 0; at < stream.length; ) {
    const end = at + 1 + stream.readInt32BE(at + 1);
    messages.push(stream.subarray(at, end));
    at = end;
  }
  return messages;
}
