/**
 * The text form in which Postgres stores a SCRAM password (`pg_authid.rolpassword`):
 *
 *     SCRAM-SHA-256$<iterations>:<salt>$<StoredKey>:<ServerKey>      (base64 but the first)
 *
 * It lets its owner check a client's proof and prove itself to that client, but not log in.
 */
import { decodeBase64 } from './base64.ts';
import { deriveKeys, ITERATIONS_DEFAULT, KEY_BYTES } from './scram-keys.ts';

/** Postgres keeps `scram_iterations` in an int. */
const ITERATIONS_MAX = 0x7fff_ffff;

const FORM =
  /^SCRAM-SHA-256\$([1-9]\d{0,9}):([A-Za-z0-9+/=]+)\$([A-Za-z0-9+/=]+):([A-Za-z0-9+/=]+)$/;

export interface Verifier {
  readonly iterations: number;
  readonly salt: Buffer;
  readonly storedKey: Buffer;
  readonly serverKey: Buffer;
}

/** Null for anything else: an md5 hash, a plain password, a damaged verifier. */
export function parseVerifier(text: string): Verifier | null {
  const match = FORM.exec(text);
  if (match === null) return null;
  const iterations = Number(match[1]);
  const salt = decodeBase64(match[2]!);
  const storedKey = decodeBase64(match[3]!);
  const serverKey = decodeBase64(match[4]!);
  if (iterations > ITERATIONS_MAX) return null;
  if (salt === null || storedKey?.length !== KEY_BYTES || serverKey?.length !== KEY_BYTES) {
    return null;
  }
  return { iterations, salt, storedKey, serverKey };
}

export function formatVerifier(verifier: Verifier): string {
  const { iterations, salt, storedKey, serverKey } = verifier;
  const text = (bytes: Buffer): string => bytes.toString('base64');
  return `SCRAM-SHA-256$${iterations}:${text(salt)}$${text(storedKey)}:${text(serverKey)}`;
}

export async function deriveVerifier(
  password: string,
  salt: Buffer,
  iterations: number = ITERATIONS_DEFAULT,
): Promise<Verifier> {
  const { storedKey, serverKey } = await deriveKeys(password, salt, iterations);
  return { iterations, salt, storedKey, serverKey };
}
