/**
 * A client that says exactly the bytes a test wants said, in whatever order, and keeps the messages
 * that come back. It knows no protocol but the framing, so it can break every rule.
 *
 * It logs in without a password: the Sluice it talks to has `auth.method: trust`.
 */
import { once } from 'node:events';
import { connect, type Socket } from 'node:net';
import { connect as connectTls } from 'node:tls';
import { errorFacts } from '../../src/backend/server-messages.ts';
import { eventually } from './cluster.ts';

export interface RawMessage {
  /** Its letter. */
  readonly code: string;
  readonly body: Buffer;
}

export interface RawLogin {
  readonly user: string;
  readonly database: string;
  readonly [parameter: string]: string;
}

const HEADER_BYTES = 5;

export class RawClient {
  readonly socket: Socket;
  readonly messages: RawMessage[] = [];
  /** The peer has closed, in good order or not. */
  closed = false;
  /** The error that closed it, such as ECONNRESET; '' for a close in good order. */
  reset = '';
  processId = 0;
  secret: Buffer = Buffer.alloc(0);
  #unread: Buffer = Buffer.alloc(0);
  #taken = 0;
  #changed: () => void = () => {};

  private constructor(socket: Socket) {
    this.socket = socket;
    socket.on('data', (chunk) => this.#data(chunk as Buffer));
    socket.on('error', (error) => {
      this.reset = (error as NodeJS.ErrnoException).code ?? error.message;
    });
    socket.on('end', () => this.#changed());
    socket.on('close', () => {
      this.closed = true;
      this.#changed();
    });
  }

  /** Connected, and nothing said. */
  static open(port: number): Promise<RawClient> {
    return new Promise((resolve, reject) => {
      const socket = connect({ port, host: '127.0.0.1', noDelay: true, allowHalfOpen: true });
      socket.once('error', reject);
      socket.once('connect', () => {
        socket.off('error', reject);
        resolve(new RawClient(socket));
      });
    });
  }

  /** The same over TLS, with a server that `ca` has signed for localhost. */
  static async openSecure(port: number, ca: string): Promise<RawClient> {
    const { socket } = await RawClient.open(port);
    socket.removeAllListeners('data');
    socket.write(sslRequest);
    const [answer] = (await once(socket, 'data')) as [Buffer];
    if (answer.toString() !== 'S') throw new Error(`TLS was answered with ${answer}`);
    const secure = connectTls({ socket, ca, host: 'localhost' });
    await once(secure, 'secureConnect');
    return new RawClient(secure);
  }

  /** Logged in: everything up to the first ReadyForQuery has been taken. */
  static async login(port: number, login: RawLogin, ca = ''): Promise<RawClient> {
    const client = await (ca === '' ? RawClient.open(port) : RawClient.openSecure(port, ca));
    client.send(startup(login));
    await client.until('Z');
    return client;
  }

  send(...parts: readonly Buffer[]): void {
    this.socket.write(Buffer.concat(parts));
  }

  /** FIN, without a Terminate. */
  finish(): void {
    this.socket.end();
  }

  /** RST: what a crashed program looks like. Over TLS, where Node has none, the socket closes. */
  drop(): void {
    if ('encrypted' in this.socket) this.socket.destroy();
    else this.socket.resetAndDestroy();
  }

  /** Sends a query and takes its whole answer. */
  query(sql: string): Promise<RawMessage[]> {
    this.send(query(sql));
    return this.until('Z');
  }

  /** The messages up to and including the next one with this letter. */
  async until(code: string): Promise<RawMessage[]> {
    for (;;) {
      const at = this.messages.findIndex(
        (each, index) => index >= this.#taken && each.code === code,
      );
      if (at >= 0) {
        const from = this.#taken;
        this.#taken = at + 1;
        return this.messages.slice(from, at + 1);
      }
      if (this.closed || this.socket.readableEnded)
        throw new Error(`closed before ${code} came: ${this.#story()}`);
      await this.#change(code);
    }
  }

  /** Resolves when the peer has closed, with all the messages not taken yet. */
  async end(): Promise<RawMessage[]> {
    // A peer that has said FIN is answered, as every client does.
    this.socket.once('end', () => this.socket.end());
    if (this.socket.readableEnded) this.socket.end();
    await eventually('the peer closes', () => this.closed);
    const rest = this.messages.slice(this.#taken);
    this.#taken = this.messages.length;
    return rest;
  }

  #story(): string {
    return this.messages.slice(this.#taken).map(describeMessage).join(' ');
  }

  #change(code: string): Promise<void> {
    return new Promise((resolve, reject) => {
      const timer = setTimeout(
        () => reject(new Error(`no ${code} within 20 s; there was: ${this.#story()}`)),
        20_000,
      );
      this.#changed = () => {
        clearTimeout(timer);
        this.#changed = () => {};
        resolve();
      };
    });
  }

  #data(chunk: Buffer): void {
    this.#unread = this.#unread.length === 0 ? chunk : Buffer.concat([this.#unread, chunk]);
    let at = 0;
    while (this.#unread.length - at >= HEADER_BYTES) {
      const end = at + 1 + this.#unread.readInt32BE(at + 1);
      if (end > this.#unread.length) break;
      const code = String.fromCharCode(this.#unread[at] as number);
      const body = this.#unread.subarray(at + HEADER_BYTES, end);
      if (code === 'K') {
        this.processId = body.readInt32BE(0);
        this.secret = body.subarray(4);
      }
      this.messages.push({ code, body });
      at = end;
    }
    this.#unread = this.#unread.subarray(at);
    this.#changed();
  }
}

/** Protocol 3.0 unless told otherwise. */
export function startup(login: RawLogin, version = 0x0003_0000): Buffer {
  const text = Object.entries(login).map(([name, value]) => `${name}\0${value}\0`);
  return untyped(int32(version), Buffer.from(`${text.join('')}\0`));
}

/** What comes before a login has no letter. */
export function untyped(...parts: readonly Buffer[]): Buffer {
  const body = Buffer.concat(parts);
  return Buffer.concat([int32(body.length + 4), body]);
}

export const sslRequest: Buffer = untyped(int32(80_877_103));

export function cancelRequest(processId: number, secret: Buffer): Buffer {
  return untyped(int32(80_877_102), int32(processId), secret);
}

/** Sends a cancel request on a connection of its own and waits until the peer has closed it. */
export async function requestCancel(port: number, processId: number, secret: Buffer) {
  const client = await RawClient.open(port);
  client.send(cancelRequest(processId, secret));
  await client.end();
}

/** Any message: its letter, and its body in pieces; strings get their zero. */
export function message(code: string, ...parts: readonly (string | Buffer)[]): Buffer {
  const body = Buffer.concat(
    parts.map((part) => (typeof part === 'string' ? Buffer.from(`${part}\0`) : part)),
  );
  return Buffer.concat([Buffer.from(code), int32(body.length + 4), body]);
}

export const query = (sql: string): Buffer => message('Q', sql);
export const parse = (name: string, sql: string): Buffer => message('P', name, sql, int16(0));
export const bind = (portal: string, name: string): Buffer =>
  message('B', portal, name, int16(0), int16(0), int16(0));
export const execute = (portal: string, rowsMax = 0): Buffer =>
  message('E', portal, int32(rowsMax));
export const sync: Buffer = message('S');
export const terminate: Buffer = message('X');

export function int32(value: number): Buffer {
  const bytes = Buffer.alloc(4);
  bytes.writeInt32BE(value);
  return bytes;
}

export function int16(value: number): Buffer {
  const bytes = Buffer.alloc(2);
  bytes.writeInt16BE(value);
  return bytes;
}

/** `E 57P03`, `Z I`, `C SELECT 1`: what tests compare. */
export function describeMessage({ code, body }: RawMessage): string {
  if (code === 'E' || code === 'N') return `${code} ${errorFacts(body, 0, body.length).sqlstate}`;
  if (code === 'Z') return `Z ${body.toString('latin1')}`;
  if (code === 'C') return `C ${body.subarray(0, -1).toString('latin1')}`;
  return code;
}

export function describeAll(messages: readonly RawMessage[]): string[] {
  return messages.map(describeMessage);
}

/** The text of an ErrorResponse. */
export function errorText({ body }: RawMessage): string {
  return errorFacts(body, 0, body.length).message;
}
