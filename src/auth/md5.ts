/**
 * Postgres's md5 login, for servers that still ask for it. It is not offered to clients: the hash a
 * server stores is enough to log in with, and MD5 is broken. Bytes are hashed as they are, without
 * SASLprep.
 */
import { createHash } from 'node:crypto';
import { writeText } from '../wire/text.ts';

/** What goes into the PasswordMessage. Throws where the system's OpenSSL forbids MD5 (FIPS). */
export function md5Password(user: string, password: string, salt: Uint8Array): string {
  // The name's own bytes, which a client may have sent in another encoding than UTF-8.
  const userBytes = Buffer.allocUnsafeSlow(user.length * 3);
  const length = writeText(userBytes, 0, user);
  const stored = createHash('md5')
    .update(password, 'utf8')
    .update(userBytes.subarray(0, length))
    .digest('hex');
  return `md5${createHash('md5').update(stored, 'latin1').update(salt).digest('hex')}`;
}
