import { X509Certificate } from 'node:crypto';
import { expect, test } from 'vitest';
import { certificateAuthority, issueCertificate } from '../../support/x509.ts';

const authority = certificateAuthority('Test authority');

test('an authority signs itself and may sign others', () => {
  const certificate = new X509Certificate(authority.certificate);
  expect(certificate.ca).toBe(true);
  expect(certificate.verify(certificate.publicKey)).toBe(true);
  expect(certificate.subject).toBe('CN=Test authority');
});

test('a server’s certificate is good for its names and addresses and for no others', () => {
  const issued = issueCertificate(authority, 'db', ['localhost', 'db.example', '127.0.0.1']);
  const certificate = new X509Certificate(issued.certificate);
  const signer = new X509Certificate(authority.certificate);
  expect(certificate.ca).toBe(false);
  expect(certificate.checkIssued(signer)).toBe(true);
  expect(certificate.verify(signer.publicKey)).toBe(true);
  expect(certificate.checkHost('localhost')).toBe('localhost');
  expect(certificate.checkHost('db.example')).toBe('db.example');
  expect(certificate.checkIP('127.0.0.1')).toBe('127.0.0.1');
  expect(certificate.checkHost('elsewhere')).toBeUndefined();
  expect(certificate.checkIP('127.0.0.2')).toBeUndefined();
});

test('a certificate does not pass for one of another authority', () => {
  const other = new X509Certificate(certificateAuthority('Test authority').certificate);
  const issued = new X509Certificate(issueCertificate(authority, 'client').certificate);
  expect(issued.verify(other.publicKey)).toBe(false);
});
