/** A client's md5 login on its link: a salt out, a digest in. */
import { randomBytes } from 'node:crypto';
import { MD5_SALT_BYTES, md5Fits } from '../auth/md5.ts';
import type { Link } from '../net/link.ts';
import { FrameScanner, type FrameSink, Scan } from '../wire/frame-scanner.ts';
import { CLIENT_LOGIN } from '../wire/interest.ts';
import { AUTH_MESSAGE_LENGTH_MAX, HEADER_BYTES } from '../wire/limits.ts';
import { encodeAuthenticationMD5Password } from '../wire/messages/authentication.ts';
import { decodePassword } from '../wire/messages/password.ts';
import { Writer } from '../wire/writer.ts';

export class Md5Login implements FrameSink {
  readonly #link: Link;
  readonly #stored: readonly string[];
  readonly #mock: boolean;
  readonly #done: (passed: boolean) => void;
  readonly #scanner = new FrameScanner(this, CLIENT_LOGIN, AUTH_MESSAGE_LENGTH_MAX);
  readonly #salt = randomBytes(MD5_SALT_BYTES);

  /** `mock`: there is no such user; whatever is answered is wrong. */
  constructor(
    link: Link,
    stored: readonly string[],
    mock: boolean,
    done: (passed: boolean) => void,
  ) {
    this.#link = link;
    this.#stored = stored;
    this.#mock = mock;
    this.#done = done;
  }

  begin(): void {
    const writer = new Writer(16);
    encodeAuthenticationMD5Password(writer, this.#salt);
    this.#link.writeAll(writer.take());
  }

  onData(chunk: Buffer): void {
    this.#scanner.scan(chunk);
  }

  forward(): void {}

  message(_code: number, buffer: Buffer, start: number, end: number): Scan {
    const answer = decodePassword(buffer, start + HEADER_BYTES, end);
    this.#scanner.close();
    const fits = md5Fits(answer, this.#stored, this.#salt);
    this.#done(fits && !this.#mock);
    return Scan.Drop;
  }
}
