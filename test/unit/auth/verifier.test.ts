import { describe, expect, test } from 'vitest';
import { deriveVerifier, formatVerifier, parseVerifier } from '../../../src/auth/verifier.ts';

/** Made by Postgres 18 for the password `pencil` (ALTER ROLE … PASSWORD, pg_authid.rolpassword). */
const FROM_POSTGRES =
  'SCRAM-SHA-256$4096:10gx/ngZqoHgnc2xOfZ1Cg==$' +
  'NqeXh8EoqeKp2oYn0sIGhBXEak01HOug7WfznllAIAQ=:ux0KOdA4RqI+zT1eni2G1zZgL67cslOXT10SJceXi9o=';

describe('verifier', () => {
  test('what Postgres made is what we make', async () => {
    const parsed = parseVerifier(FROM_POSTGRES);
    expect(parsed).not.toBe(null);
    expect(formatVerifier(parsed!)).toBe(FROM_POSTGRES);
    expect(await deriveVerifier('pencil', parsed!.salt, parsed!.iterations)).toEqual(parsed);
  });

  test('another password gives other keys', async () => {
    const parsed = parseVerifier(FROM_POSTGRES)!;
    const other = await deriveVerifier('pencils', parsed.salt, parsed.iterations);
    expect(other.storedKey).not.toEqual(parsed.storedKey);
    expect(other.serverKey).not.toEqual(parsed.serverKey);
  });

  test.each([
    ['an md5 hash', 'md5d41d8cd98f00b204e9800998ecf8427e'],
    ['nothing', ''],
    ['another mechanism', FROM_POSTGRES.replace('256', '512')],
    ['zero iterations', FROM_POSTGRES.replace('$4096', '$0')],
    ['more iterations than an int', FROM_POSTGRES.replace('$4096', '$2147483648')],
    ['a short key', FROM_POSTGRES.replace(/:[^:]+$/, ':AAAA')],
    ['no server key', FROM_POSTGRES.replace(/:[^:]+$/, '')],
    ['a salt that is not base64', FROM_POSTGRES.replace(/:[^$]+\$/, ':=$')],
    ['something behind it', `${FROM_POSTGRES} `],
    ['a newline behind it', `${FROM_POSTGRES}\n`],
  ])('%s is not a verifier', (_name, text) => {
    expect(parseVerifier(text)).toBe(null);
  });
});
