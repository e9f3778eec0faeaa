/** A client's SCRAM exchange on its link: frames in, the exchange in `auth/`, frames out. */
import {
  offeredMechanisms,
  type ScramSecret,
  ScramServer,
  type ScramSuccess,
} from '../auth/scram-server.ts';
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

export class ScramLogin implements FrameSink {
  readonly #link: Link;
  readonly #channelBinding: Buffer | null;
  readonly #done: (success: ScramSuccess | null) => void;
  readonly #scanner = new FrameScanner(this, CLIENT_LOGIN, AUTH_MESSAGE_LENGTH_MAX);
  readonly #writer = new Writer(256);
  readonly #exchange: ScramServer;
  /** The mechanism the client has chosen; empty until it has. */
  #mechanism = '';

  /** `done` hears null of a wrong password; what is not SCRAM at all is thrown by `onData`. */
  constructor(
    link: Link,
    secret: ScramSecret,
    channelBinding: Buffer | null,
    done: (success: ScramSuccess | null) => void,
  ) {
    this.#link = link;
    this.#channelBinding = channelBinding;
    this.#done = done;
    this.#exchange = ScramServer.on(secret, channelBinding);
  }

  begin(): void {
    encodeAuthenticationSASL(this.#writer, offeredMechanisms(this.#channelBinding));
    this.#send();
  }

  onData(chunk: Buffer): void {
    this.#scanner.scan(chunk);
  }

  forward(): void {}

  message(_code: number, buffer: Buffer, start: number, end: number): Scan {
    const exchange = this.#exchange;
    const bodyStart = start + HEADER_BYTES;
    if (this.#mechanism === '') {
      const { mechanism, data } = decodeSASLInitialResponse(buffer, bodyStart, end);
      encodeAuthenticationSASLContinue(this.#writer, exchange.first(mechanism, data));
      this.#mechanism = mechanism;
      this.#send();
    } else if (!exchange.challenged) {
      const data = decodeSASLResponse(buffer, bodyStart, end);
      encodeAuthenticationSASLContinue(this.#writer, exchange.first(this.#mechanism, data));
      this.#send();
    } else {
      this.#finish(decodeSASLResponse(buffer, bodyStart, end));
    }
    return Scan.Drop;
  }

  #finish(data: Buffer): void {
    this.#scanner.close();
    const success = this.#exchange.finish(data);
    if (success !== null) {
      encodeAuthenticationSASLFinal(this.#writer, success.serverFinal);
      this.#send();
    }
    this.#done(success);
  }

  #send(): void {
    this.#link.writeAll(this.#writer.take());
  }
}
