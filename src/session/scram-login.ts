/** A client's SCRAM exchange on its link: frames in, the exchange in `auth/`, frames out. */
import { OFFERED_MECHANISMS, ScramServer } from '../auth/scram-server.ts';
import type { UserStore } from '../auth/user-store.ts';
import type { Link } from '../net/link.ts';
import { FrameScanner, type FrameSink, Scan } from '../wire/frame-scanner.ts';
import { CLIENT_LOGIN } from '../wire/interest.ts';
import { AUTH_MESSAGE_LENGTH_MAX, HEADER_BYTES } from '../wire/limits.ts';
import {
  encodeAuthenticationSASL,
  encodeAuthenticationSASLContinue,
  encodeAuthenticationSASLFinal,
} from '../wire/messages/authentication.ts';
import { decodeSASLInitialResponse, decodeSASLResponse } from '../wire/messages/password.ts';
import { Writer } from '../wire/writer.ts';

export type ScramOutcome = 'passed' | 'refused' | Error;

export class ScramLogin implements FrameSink {
  readonly #link: Link;
  readonly #users: UserStore;
  readonly #user: string;
  readonly #done: (outcome: ScramOutcome) => void;
  readonly #scanner = new FrameScanner(this, CLIENT_LOGIN, AUTH_MESSAGE_LENGTH_MAX);
  readonly #writer = new Writer(256);
  #exchange: ScramServer | null = null;
  #begun = false;

  constructor(link: Link, users: UserStore, user: string, done: (outcome: ScramOutcome) => void) {
    this.#link = link;
    this.#users = users;
    this.#user = user;
    this.#done = done;
  }

  /** The user's keys may still have to be derived; nothing is asked of the client before. */
  begin(): void {
    this.#link.pause();
    this.#users.scramSecret(this.#user).then(
      (secret) => {
        this.#exchange = new ScramServer(secret);
        encodeAuthenticationSASL(this.#writer, OFFERED_MECHANISMS);
        this.#send();
        this.#link.resume();
      },
      (error: Error) => {
        this.#done(error);
      },
    );
  }

  onData(chunk: Buffer): void {
    this.#scanner.scan(chunk);
  }

  forward(): void {}

  message(_code: number, buffer: Buffer, start: number, end: number): Scan {
    const exchange = this.#exchange;
    if (exchange === null) return Scan.Drop;
    const bodyStart = start + HEADER_BYTES;
    if (!this.#begun) {
      const { mechanism, data } = decodeSASLInitialResponse(buffer, bodyStart, end);
      this.#begun = true;
      encodeAuthenticationSASLContinue(this.#writer, exchange.first(mechanism, data));
      this.#send();
    } else if (!exchange.challenged) {
      const data = decodeSASLResponse(buffer, bodyStart, end);
      encodeAuthenticationSASLContinue(
        this.#writer,
        exchange.first(OFFERED_MECHANISMS[0] as string, data),
      );
      this.#send();
    } else {
      this.#finish(exchange, decodeSASLResponse(buffer, bodyStart, end));
    }
    return Scan.Drop;
  }

  #finish(exchange: ScramServer, data: Buffer): void {
    this.#exchange = null;
    this.#scanner.close();
    const success = exchange.finish(data);
    if (success === null) {
      this.#done('refused');
      return;
    }
    encodeAuthenticationSASLFinal(this.#writer, success.serverFinal);
    this.#send();
    this.#done('passed');
  }

  #send(): void {
    this.#link.writeAll(this.#writer.take());
  }
}
