/**
 * A client that speaks the protocol by hand: it sends whatever bytes a test wants, at whatever
 * moment, and shows every message that comes back. A driver would keep a test from most of that.
 *
 * It proves itself by nothing: the listener or pg_hba.conf must trust it.
 */
import { connect, type Socket } from 'node:net';
import { Backend } from '../../src/wire/codes.ts';
import { decodeBackendKeyData } from '../../src/wire/messages/backend-key-data.ts';
import { decodeParameterStatus } from '../../src/wire/messages/parameter-status.ts';
import { encodeCancelRequest, encodeStartup } from '../../src/wire/startup.ts';
import { Writer } from '../../src/wire/writer.ts';
import { Message } from './wire-message.ts';

export interface WireLogin {
  readonly host: string;
  readonly port: number;
  readonly user: string;
  readonly database: string;
  /** Further parameters of the startup packet. */
  readonly parameters?: Readonly<Record<string, string>>;
  /** Show also what comes unasked: ParameterStatus and notifications. */
  readonly everything?: boolean;
}

interface Taker {
  readonly take: (message: Message) => void;
  readonly fail: (error: Error) => void;
}

export class WireClient {
  readonly socket: Socket;
  readonly #address: WireLogin;
  processId = 0;
  secret: Buffer = Buffer.alloc(0);
  /** As last reported. */
  readonly parameters = new Map<string, string>();
  /** Why nothing more will come; null while the connection is open. */
  ended: Error | null = null;
  #unread: Buffer = NOTHING;
  readonly #messages: Message[] = [];
  #taker: Taker | null = null;

  private constructor(socket: Socket, address: WireLogin) {
    this.socket = socket;
    this.#address = address;
    socket.setNoDelay(true);
    socket.on('data', (chunk) => this.#onData(chunk));
    socket.on('error', (error) => this.#end(error));
    socket.on('close', () => this.#end(new Error('the connection was closed')));
  }

  /** Resolves at the first ReadyForQuery. */
  static async connect(login: WireLogin): Promise<WireClient> {
    const client = WireClient.dial(login);
    await client.welcome();
    return client;
  }

  /** Sends the startup packet and no more. */
  static dial(login: WireLogin): WireClient {
    const client = new WireClient(connect(login.port, login.host), login);
    const params = new Map([
      ['user', login.user],
      ['database', login.database],
      ...Object.entries(login.parameters ?? {}),
    ]);
    const writer = new Writer();
    encodeStartup(writer, { minor: 0, params });
    client.send(writer.take());
    return client;
  }

  async welcome(): Promise<void> {
    for (;;) {
      const message = await this.next();
      if (message.code === Backend.ReadyForQuery) return;
      if (message.code === Backend.ErrorResponse) throw new Error(message.toString());
      if (message.code !== Backend.BackendKeyData) continue;
      const { body } = message;
      const { processId, key } = decodeBackendKeyData(body, 0, body.length);
      this.processId = processId;
      this.secret = key;
    }
  }

  send(bytes: Uint8Array): void {
    this.socket.write(bytes);
  }

  /** The next message; of what comes unasked, only if `everything` is wanted. */
  next(): Promise<Message> {
    const message = this.#messages.shift();
    if (message !== undefined) return Promise.resolve(message);
    if (this.ended !== null) return Promise.reject(this.ended);
    return new Promise((take, fail) => {
      this.#taker = { take, fail };
    });
  }

  /** All messages up to the `count`th ReadyForQuery. */
  async replies(count = 1): Promise<Message[]> {
    const messages: Message[] = [];
    for (let left = count; left > 0; ) {
      const message = await this.next();
      messages.push(message);
      if (message.code === Backend.ReadyForQuery) left--;
    }
    return messages;
  }

  /** Asks for its running statement to be stopped; resolves when the request was taken. */
  cancel(): Promise<void> {
    return new Promise((resolve) => {
      const socket = connect(this.#address.port, this.#address.host);
      const writer = new Writer();
      encodeCancelRequest(writer, this.processId, this.secret);
      socket.on('error', () => {});
      socket.on('close', () => resolve());
      socket.resume();
      socket.write(writer.take());
    });
  }

  /** No goodbye, no FIN: the peer gets a reset. */
  reset(): void {
    this.socket.resetAndDestroy();
  }

  /** FIN; what comes is still read. Resolves when the peer has closed as well. */
  async end(bytes: Uint8Array = NOTHING): Promise<void> {
    if (this.ended !== null) return;
    await new Promise<void>((resolve, reject) => {
      this.socket.on('close', () => resolve());
      // Only an error of somebody's making (`destroy`) fails it: a peer may well reset.
      this.socket.on('error', (error) => ('code' in error ? resolve() : reject(error)));
      this.socket.end(bytes);
    });
  }

  #onData(chunk: Buffer): void {
    let rest = this.#unread.length === 0 ? chunk : Buffer.concat([this.#unread, chunk]);
    while (rest.length >= 5) {
      const total = 1 + rest.readInt32BE(1);
      if (rest.length < total) break;
      this.#onMessage(new Message(rest[0] as number, rest.subarray(5, total)));
      rest = rest.subarray(total);
    }
    this.#unread = rest;
  }

  #onMessage(message: Message): void {
    const { code, body } = message;
    if (code === Backend.ParameterStatus) {
      const { name, value } = decodeParameterStatus(body, 0, body.length);
      this.parameters.set(name, value);
    }
    const unasked = code === Backend.ParameterStatus || code === Backend.NotificationResponse;
    if (unasked && this.#address.everything !== true) return;
    const taker = this.#taker;
    this.#taker = null;
    if (taker === null) this.#messages.push(message);
    else taker.take(message);
  }

  #end(error: Error): void {
    this.ended ??= error;
    const taker = this.#taker;
    this.#taker = null;
    taker?.fail(this.ended);
  }
}

const NOTHING = Buffer.alloc(0);
