/**
 * One end of a conversation that does what a test tells it. Everything both ways goes into the
 * transcript, whole messages only, so that a golden text does not depend on how bytes were cut
 * into chunks.
 *
 * A scripted client reads what a server sends (`B`), a scripted server what a client sends (`F`).
 */
import { codeName, type Direction } from '../../src/wire/codes.ts';
import { SSL_REQUEST_CODE } from '../../src/wire/startup.ts';
import type { Transcript } from './transcript.ts';
import type { WireEnd } from './wires.ts';

export type Role = 'client' | 'server';

/** A message that has arrived, with its five header bytes; first packets have only four. */
export interface Received {
  readonly name: string;
  readonly bytes: Buffer;
}

/** What the next bytes from the other end are. */
const Framing = { FirstPacket: 0, CharResponse: 1, Messages: 2 } as const;
type Framing = (typeof Framing)[keyof typeof Framing];

/** The first half of a first packet's code, where it asks for a session. */
const PROTOCOL_MAJOR = 3;

export class ScriptedPeer {
  readonly name: string;
  readonly role: Role;
  readonly received: Received[] = [];
  /** Whoever answers by itself hears of every message here. */
  onMessage: ((received: Received) => void) | null = null;
  onEnd: (() => void) | null = null;
  /** The other end has said it will send no more. */
  ended = false;
  readonly wire: WireEnd;
  readonly #transcript: Transcript;
  #framing: Framing;
  #pending: Buffer = Buffer.alloc(0);

  constructor(role: Role, name: string, wire: WireEnd, transcript: Transcript) {
    this.role = role;
    this.name = name;
    this.wire = wire;
    this.#transcript = transcript;
    this.#framing = role === 'server' ? Framing.FirstPacket : Framing.Messages;
    wire.on('data', (chunk: Buffer) => this.#onData(chunk));
    wire.on('end', () => this.#onEnd());
    wire.on('error', () => {});
  }

  /** Sends whole messages, in one write. */
  send(...messages: readonly Buffer[]): void {
    for (const message of messages) {
      for (const one of split(message)) this.#transcript.message(this.name, this.#sends, one);
    }
    this.wire.write(Buffer.concat(messages));
  }

  /** Sends a packet without a code byte: a startup message or a request. */
  sendFirstPacket(packet: Buffer): void {
    this.#transcript.firstPacket(this.name, packet);
    if (packet.readUInt32BE(4) === SSL_REQUEST_CODE) this.#framing = Framing.CharResponse;
    this.wire.write(packet);
  }

  /** Sends any bytes; the transcript only says how many. For pieces of messages, and garbage. */
  sendRaw(bytes: Buffer): void {
    this.#transcript.note(this.name, `sends ${bytes.length} bytes`);
    this.wire.write(bytes);
  }

  /** How many messages of that name have arrived. */
  count(name: string): number {
    return this.received.filter((received) => received.name === name).length;
  }

  /** Says good-bye (FIN) after what was sent. */
  end(): void {
    this.#transcript.note(this.name, 'ends');
    this.wire.end();
  }

  /** Vanishes without a word. */
  reset(): void {
    this.#transcript.note(this.name, 'vanishes');
    this.wire.reset();
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
      // Every whole message of the chunk is taken.
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
      // A request is followed by another first packet, or by nothing.
      const opensSession = bytes.readUInt16BE(4) === PROTOCOL_MAJOR;
      if (opensSession) this.#framing = Framing.Messages;
      this.#arrived(opensSession ? 'StartupMessage' : 'Request', end);
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
    this.onMessage?.(received);
  }

  #onEnd(): void {
    this.ended = true;
    this.#transcript.note(this.name, 'was left');
    this.onEnd?.();
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
