/**
 * Postgres's md5 login, both sides of it, for servers and clients that know nothing better. What is
 * stored, `md5` and 32 hex digits, is enough to log in with, and MD5 is broken: clients are asked
 * for it only where the configuration says so. Bytes are hashed as they are, without SASLprep.
 *
 * Everything here throws where the system's OpenSSL forbids MD5 (FIPS).
 */
import { createHash, timingSafeEqual } from 'node:crypto';
import { writeText } from '../wire/text.ts';

export const MD5_SALT_BYTES = 4;

const STORED = /^md5([0-9a-f]{32})$/;
/** `md5` and a digest: what a client answers. */
const ANSWER_CHARS = 35;

/** What Postgres stores of a password (`pg_authid.rolpassword`). */
export function md5Stored(user: string, password: string): string {
  // The name's own bytes, which a client may have sent in another encoding than UTF-8.
  const userBytes = Buffer.allocUnsafeSlow(user.length * 3);
  const length = writeText(userBytes, 0, user);
  const digest = createHash('md5')
    .update(password, 'utf8')
    .update(userBytes.subarray(0, length))
    .digest('hex');
  return `md5${digest}`;
}

/** Whether a text is what `md5Stored` makes, and not a password that begins like it. */
export function isMd5Stored(text: string): boolean {
  return STORED.test(text);
}

/** What goes into the PasswordMessage, made of what is stored. */
export function md5Answer(stored: string, salt: Uint8Array): string {
  const digest = stored.slice('md5'.length);
  return `md5${createHash('md5').update(digest, 'latin1').update(salt).digest('hex')}`;
}

/** What goes into the PasswordMessage, made of the password itself. */
export function md5Password(user: string, password: string, salt: Uint8Array): string {
  return md5Answer(md5Stored(user, password), salt);
}

/**
 * Whether a client's answer fits one of what is stored. All are tried, each in constant time.
 * Answers of another length are never right, and their length is the client's own doing.
 */
export function md5Fits(answer: string, stored: readonly string[], salt: Uint8Array): boolean {
  const given = Buffer.alloc(ANSWER_CHARS);
  given.write(answer, 'latin1');
  let fits = false;
  for (const one of stored) {
    const right = timingSafeEqual(given, Buffer.from(md5Answer(one, salt), 'latin1'));
    if (right && answer.length === ANSWER_CHARS) fits = true;
  }
  return fits;
}
