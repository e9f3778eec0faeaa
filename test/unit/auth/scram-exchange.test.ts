/** Our client against our server, in memory. */
import { describe, expect, test } from 'vitest';
import { ScramClient } from '../../../src/auth/scram-client.ts';
import { deriveKeys, hmac, xor } from '../../../src/auth/scram-keys.ts';
import { type ScramSecret, ScramServer } from '../../../src/auth/scram-server.ts';

const SALT = Buffer.from('0123456789abcdef');
/** Few, so that many exchanges take no time; the number itself is tested by the RFC's vectors. */
const ITERATIONS = 2;

async function secretOf(...passwords: string[]): Promise<ScramSecret> {
  const keys = await Promise.all(passwords.map((one) => deriveKeys(one, SALT, ITERATIONS)));
  return { salt: SALT, iterations: ITERATIONS, passwords: keys, mock: false };
}

/** Which password let the client in; null when none did. */
async function login(secret: ScramSecret, password: string): Promise<number | null> {
  const server = new ScramServer(secret);
  const client = new ScramClient();
  const { salt, iterations } = client.challenge(server.first('SCRAM-SHA-256', client.first()));
  const success = server.finish(client.finish(await deriveKeys(password, salt, iterations)));
  if (success === null) return null;
  client.verify(success.serverFinal);
  return success.passwordIndex;
}

describe('passwords', () => {
  test.each([
    ['simple', 'pencil'],
    ['empty', ''],
    ['one space', ' '],
    ['commas and equals', 'a=b,c=d,,=='],
    ['control characters', 'a\tb\u0001c'],
    ['accents', 'Grüße, naïve façade'],
    ['Korean', '비밀번호'],
    ['Arabic', 'كلمة السر'],
    ['Hebrew beside Latin', 'abc שלום'],
    ['emoji', 'correct 🐴 battery 🔋 staple'],
    ['soft hyphen only', '\u00ad'],
    ['no-break spaces', 'a\u00a0b\u2003c'],
    ['a lone surrogate', 'a\ud800b'],
    ['1 KiB', 'x'.repeat(1024)],
    ['64 KiB of two-byte letters', 'ü'.repeat(32_768)],
  ])('%s', async (_name, password) => {
    const secret = await secretOf(password);
    expect(await login(secret, password)).toBe(0);
    expect(await login(secret, `${password}x`)).toBe(null);
  });

  test('spellings that SASLprep unifies are one password', async () => {
    expect(await login(await secretOf('Å'), 'A\u030a')).toBe(0);
    expect(await login(await secretOf('a b'), 'a\u00a0b')).toBe(0);
  });

  test('each of several passwords lets in, and the server says which', async () => {
    const secret = await secretOf('new', 'old', 'oldest');
    expect(await login(secret, 'new')).toBe(0);
    expect(await login(secret, 'old')).toBe(1);
    expect(await login(secret, 'oldest')).toBe(2);
    expect(await login(secret, 'other')).toBe(null);
  });

  test('a mock secret lets nobody in, not even with the password', async () => {
    expect(await login({ ...(await secretOf('pencil')), mock: true }, 'pencil')).toBe(null);
  });

  test('a client may send nothing at first', async () => {
    const server = new ScramServer(await secretOf('pencil'));
    const client = new ScramClient();
    expect(server.first('SCRAM-SHA-256', null)).toHaveLength(0);
    expect(server.challenged).toBe(false);
    const challenge = client.challenge(server.first('SCRAM-SHA-256', client.first()));
    expect(server.challenged).toBe(true);
    const keys = await deriveKeys('pencil', challenge.salt, challenge.iterations);
    expect(server.finish(client.finish(keys))?.passwordIndex).toBe(0);
  });

  test('a client that has channel binding but was offered none says y', async () => {
    const keys = await deriveKeys('pencil', SALT, ITERATIONS);
    const server = new ScramServer(await secretOf('pencil'), 'S');
    server.first('SCRAM-SHA-256', Buffer.from('y,,n=,r=C'));
    const withoutProof = 'c=eSws,r=CS';
    const authMessage = `n=,r=C,r=CS,s=${SALT.toString('base64')},i=2,${withoutProof}`;
    const proof = xor(keys.clientKey, hmac(keys.storedKey, authMessage)).toString('base64');
    expect(server.finish(Buffer.from(`${withoutProof},p=${proof}`))?.passwordIndex).toBe(0);
  });
});
