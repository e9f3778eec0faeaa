/** SCRAM-SHA-256-PLUS: what is bound to, and everything that must not pass without it. */
import { createHash, X509Certificate } from 'node:crypto';
import { describe, expect, test } from 'vitest';
import { tlsServerEndPoint } from '../../../src/auth/channel-binding.ts';
import { clientBinding, ScramClient } from '../../../src/auth/scram-client.ts';
import { deriveKeys } from '../../../src/auth/scram-keys.ts';
import {
  offeredMechanisms,
  type ScramSecret,
  ScramServer,
} from '../../../src/auth/scram-server.ts';
import { certificateAuthority } from '../../support/x509.ts';

const ours = Buffer.alloc(32, 1);
const theirs = Buffer.alloc(32, 2);
const PLUS = 'SCRAM-SHA-256-PLUS';
const PLAIN = 'SCRAM-SHA-256';

async function secret(): Promise<ScramSecret> {
  const salt = Buffer.from('salt');
  const passwords = [await deriveKeys('pencil', salt, 1)];
  return { salt, iterations: 1, passwords, mock: false };
}

interface Ends {
  readonly server: Buffer | null;
  readonly client: Buffer | null;
  /** What the client was told that the server offers; what it does offer unless given. */
  readonly told?: readonly string[];
}

/** How a login ends between these two ends of a channel. */
async function login({ server: atServer, client: atClient, told }: Ends): Promise<string> {
  const offered = told ?? offeredMechanisms(atServer);
  const plus = atClient !== null && offered.includes(PLUS);
  const server = ScramServer.on(await secret(), atServer);
  const client = new ScramClient(undefined, clientBinding(atClient, plus));
  try {
    const first = server.first(plus ? PLUS : PLAIN, client.first());
    const { salt, iterations } = client.challenge(first);
    const success = server.finish(client.finish(await deriveKeys('pencil', salt, iterations)));
    client.verify(success!.serverFinal);
    return plus ? 'bound' : 'not bound';
  } catch (error) {
    return (error as Error).message;
  }
}

test('both ends see one channel', async () => {
  expect(await login({ server: ours, client: ours })).toBe('bound');
  expect(await login({ server: null, client: ours })).toBe('not bound');
  expect(await login({ server: ours, client: null })).toBe('not bound');
  expect(await login({ server: null, client: null })).toBe('not bound');
});

test('somebody in between who shows another certificate', async () => {
  expect(await login({ server: ours, client: theirs })).toBe(
    'SCRAM: the channel binding of client-final does not match',
  );
});

test('somebody in between who takes PLUS out of the offer', async () => {
  expect(await login({ server: ours, client: ours, told: [PLAIN] })).toBe(
    'SCRAM: the client supports channel binding but was told that the server does not',
  );
});

describe('malformed', () => {
  test.each([
    [PLUS, 'n,,n=,r=C', 'SCRAM: SCRAM-SHA-256-PLUS without channel binding'],
    [PLUS, 'y,,n=,r=C', 'SCRAM: SCRAM-SHA-256-PLUS without channel binding'],
    [PLUS, 'p=tls-unique,,n=,r=C', 'SCRAM: unsupported type of channel binding'],
    [PLUS, 'p=,,n=,r=C', 'SCRAM: unsupported type of channel binding'],
    [PLAIN, 'p=tls-server-end-point,,n=,r=C', 'asked for but not offered'],
  ])('%s with %j', async (mechanism, text, problem) => {
    const server = ScramServer.on(await secret(), ours);
    expect(() => server.first(mechanism, Buffer.from(text))).toThrow(problem);
  });

  test('c= without the data, or with half of it', async () => {
    for (const data of [Buffer.alloc(0), ours.subarray(0, 16), Buffer.concat([ours, ours])]) {
      const server = new ScramServer(await secret(), 'S', ours);
      server.first(PLUS, Buffer.from('p=tls-server-end-point,,n=,r=C'));
      const c = Buffer.concat([Buffer.from('p=tls-server-end-point,,'), data]).toString('base64');
      const final = Buffer.from(`c=${c},r=CS,p=${Buffer.alloc(32).toString('base64')}`);
      expect(() => server.finish(final)).toThrow('channel binding of client-final');
    }
  });
});

describe('the hash of a certificate', () => {
  const { certificate } = certificateAuthority('somebody');
  const der = new X509Certificate(certificate).raw;

  test('is the one it is signed with', () => {
    expect(tlsServerEndPoint(der)).toEqual(createHash('sha256').update(der).digest());
  });

  /** The same certificate claiming another signature; only its hash is looked at. */
  function signedBy(from: string, to: string): Buffer {
    const hex = der.toString('hex');
    const at = hex.lastIndexOf(from);
    return Buffer.from(hex.slice(0, at) + to + hex.slice(at + from.length), 'hex');
  }

  test.each([
    ['2a8648ce3d040303', 'sha384'],
    ['2a8648ce3d040304', 'sha512'],
    ['2a8648ce3d040301', 'sha224'],
  ])('%s is %s', (oid, hash) => {
    const other = signedBy('2a8648ce3d040302', oid);
    expect(tlsServerEndPoint(other)).toEqual(createHash(hash).update(other).digest());
  });

  test('is none where the signature names none, or there is nothing to read', () => {
    expect(tlsServerEndPoint(signedBy('2a8648ce3d040302', '2a8648ce3d0403ff'))).toBe(null);
    for (let length = 0; length < 200; length += 7) {
      expect(tlsServerEndPoint(der.subarray(0, length))).toBe(null);
    }
    expect(tlsServerEndPoint(Buffer.alloc(64, 0x30))).toBe(null);
  });
});
