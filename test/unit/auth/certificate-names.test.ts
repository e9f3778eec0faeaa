import { X509Certificate } from 'node:crypto';
import { expect, test } from 'vitest';
import { certificateNames } from '../../../src/auth/certificate-names.ts';
import { certificateAuthority, issueCertificate } from '../../support/x509.ts';

const authority = certificateAuthority('test');

function names(commonName: string, alternative: readonly string[] = []): string[] {
  const { certificate } = issueCertificate(authority, commonName, alternative);
  return certificateNames(new X509Certificate(certificate).raw);
}

test('common name and alternative names, each once', () => {
  expect(names('orders', ['orders.example.com', 'orders', '10.1.2.3'])).toEqual([
    'orders',
    'orders.example.com',
  ]);
});

test('what only looks like several names is one', () => {
  expect(names('a, DNS:admin')).toEqual(['a, DNS:admin']);
  expect(names('x', ['a, DNS:admin'])).toEqual(['x', 'a, DNS:admin']);
  expect(names('a"b', ['c"d'])).toEqual(['a"b', 'c"d']);
});

test('a zero byte or a newline makes it no name', () => {
  expect(names('admin\0.example.com')).toEqual([]);
  expect(names('admin\nCN=root')).toEqual([]);
});
