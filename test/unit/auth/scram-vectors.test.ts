/** The example exchange of RFC 7677, section 3, from both sides. */
import { describe, expect, test } from 'vitest';
import { ScramClient } from '../../../src/auth/scram-client.ts';
import { deriveKeys } from '../../../src/auth/scram-keys.ts';
import { ScramServer } from '../../../src/auth/scram-server.ts';

const PASSWORD = 'pencil';
const CLIENT_NONCE = 'rOprNGfwEbeRWgbNEkqO';
const SERVER_NONCE = '%hvYDpWUa2RaTCAfuxFIlj)hNlF$k0';
const SALT = Buffer.from('W22ZaJ0SNY7soEsUEjb6gQ==', 'base64');
const ITERATIONS = 4096;
const CLIENT_FIRST = 'n,,n=user,r=rOprNGfwEbeRWgbNEkqO';
const SERVER_FIRST =
  'r=rOprNGfwEbeRWgbNEkqO%hvYDpWUa2RaTCAfuxFIlj)hNlF$k0,s=W22ZaJ0SNY7soEsUEjb6gQ==,i=4096';
const CLIENT_FINAL =
  'c=biws,r=rOprNGfwEbeRWgbNEkqO%hvYDpWUa2RaTCAfuxFIlj)hNlF$k0,' +
  'p=dHzbZapWIk4jUhN+Ute9ytag9zjfMHgsqmmiz7AndVQ=';
const SERVER_FINAL = 'v=6rriTRBi23WpRR/wtup+mMhUZUn/dB5nLTJRsjl95G4=';

describe('RFC 7677', () => {
  test('the client says what the RFC says and accepts the server', async () => {
    const client = new ScramClient(CLIENT_NONCE);
    expect(client.first('user').toString()).toBe(CLIENT_FIRST);
    const challenge = client.challenge(Buffer.from(SERVER_FIRST));
    expect(challenge).toEqual({ salt: SALT, iterations: ITERATIONS });
    const keys = await deriveKeys(PASSWORD, challenge.salt, challenge.iterations);
    expect(client.finish(keys).toString()).toBe(CLIENT_FINAL);
    expect(() => client.verify(Buffer.from(SERVER_FINAL))).not.toThrow();
  });

  test('the server says what the RFC says and learns the client key', async () => {
    const keys = await deriveKeys(PASSWORD, SALT, ITERATIONS);
    const server = new ScramServer(
      { salt: SALT, iterations: ITERATIONS, passwords: [keys], mock: false },
      SERVER_NONCE,
    );
    const serverFirst = server.first('SCRAM-SHA-256', Buffer.from(CLIENT_FIRST));
    expect(serverFirst.toString()).toBe(SERVER_FIRST);
    const success = server.finish(Buffer.from(CLIENT_FINAL));
    expect(success?.serverFinal.toString()).toBe(SERVER_FINAL);
    expect(success?.passwordIndex).toBe(0);
    expect(success?.clientKey).toEqual(keys.clientKey);
  });
});
