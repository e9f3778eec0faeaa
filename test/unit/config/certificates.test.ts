import { generateKeyPairSync, X509Certificate } from 'node:crypto';
import { expect, test } from 'vitest';
import { checkCertificate, checkPair } from '../../../src/config/certificates.ts';
import { Problems } from '../../../src/config/problems.ts';
import { certificateAuthority, issueCertificate } from '../../support/x509.ts';

const authority = certificateAuthority('sluice test');
const one = issueCertificate(authority, 'one', ['one']);
const two = issueCertificate(authority, 'two', ['two']);
const parsed = new X509Certificate(one.certificate);
const begins = Date.parse(parsed.validFrom);
const ends = Date.parse(parsed.validTo);
const good = { cert: one.certificate, key: one.key };
const DAY_MS = 86_400_000;

function problemsOf(pair: { cert: string | null; key: string | null }, wallMs = begins): string[] {
  const problems = new Problems('sluice.yaml');
  checkPair(pair, 'tls', problems, wallMs);
  return [
    ...problems.problems.map(({ path, message }) => `${path} ${message}`),
    ...problems.warnings.map(({ path, message }) => `warning: ${path} ${message}`),
  ];
}

test('a certificate and its key, and neither, are in order', () => {
  expect(problemsOf(good)).toEqual([]);
  expect(problemsOf({ cert: null, key: null })).toEqual([]);
});

test('one without the other is not', () => {
  expect(problemsOf({ ...good, key: null })).toEqual(['tls.cert needs `key` beside it']);
  expect(problemsOf({ ...good, cert: null })).toEqual(['tls.key needs `cert` beside it']);
});

test('the key of another certificate is not', () => {
  expect(problemsOf({ cert: one.certificate, key: two.key })).toEqual([
    'tls.key is not the key of the certificate in `cert`',
  ]);
});

test('files that were swapped are not', () => {
  expect(problemsOf({ cert: one.key, key: one.certificate })).toEqual([
    'tls.cert holds no certificate that can be read (-----BEGIN CERTIFICATE-----)',
    'tls.key holds no private key that can be read (-----BEGIN PRIVATE KEY-----)',
  ]);
});

test('a key with a passphrase is not', () => {
  const { privateKey } = generateKeyPairSync('ec', {
    namedCurve: 'P-256',
    publicKeyEncoding: { type: 'spki', format: 'pem' },
    privateKeyEncoding: { type: 'pkcs8', format: 'pem', cipher: 'aes-256-cbc', passphrase: 'x' },
  });
  expect(problemsOf({ cert: one.certificate, key: privateKey })).toEqual([
    'tls.key is encrypted; a key without a passphrase is needed',
  ]);
});

test('a certificate out of its time is warned of, and so is one that nearly is', () => {
  expect(problemsOf(good, ends - 15 * DAY_MS)).toEqual([]);
  expect(problemsOf(good, ends - 13 * DAY_MS)).toEqual([
    `warning: tls.cert expires on ${parsed.validTo}`,
  ]);
  expect(problemsOf(good, ends)).toEqual([`warning: tls.cert expired on ${parsed.validTo}`]);
  expect(problemsOf(good, begins - 1)).toEqual([
    `warning: tls.cert is not valid before ${parsed.validFrom}`,
  ]);
});

test('an authority is looked at as well', () => {
  const problems = new Problems('sluice.yaml');
  checkCertificate(authority.certificate, 'tls.ca', problems, begins);
  checkCertificate('nonsense', 'tls.ca', problems, begins);
  expect(problems.problems.map(({ path }) => path)).toEqual(['tls.ca']);
});
