/** The certificates the TLS tests rely on are what they say they are. */
import { X509Certificate } from 'node:crypto';
import { readFileSync, statSync } from 'node:fs';
import { afterAll, expect, test } from 'vitest';
import { makeCertificates } from '../../support/certs.ts';

const certificates = makeCertificates('alice');
afterAll(() => certificates.remove());

const load = (path: string): X509Certificate => new X509Certificate(readFileSync(path));

test('who signed them, and for whom', () => {
  const authority = load(certificates.authority.certificatePath);
  const server = load(certificates.server.certificatePath);
  expect(authority.ca).toBe(true);
  expect(server.verify(authority.publicKey)).toBe(true);
  expect(server.checkHost('localhost')).toBe('localhost');
  expect(server.checkIP('127.0.0.1')).toBe('127.0.0.1');
  expect(load(certificates.misnamed.certificatePath).checkHost('localhost')).toBe(undefined);
  expect(load(certificates.foreign.certificatePath).verify(authority.publicKey)).toBe(false);
  const client = load(certificates.client.certificatePath);
  expect(client.subject).toBe('CN=alice');
  expect(client.verify(authority.publicKey)).toBe(true);
});

test('keys are private', () => {
  expect(statSync(certificates.server.keyPath).mode & 0o777).toBe(0o600);
});
