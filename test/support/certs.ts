/**
 * One set of certificates as PEM files in a folder of its own, for programs and options that take
 * paths. What they are made of is in `x509.ts`; no outside program is needed.
 */
import { chmodSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { type Certificate, certificateAuthority, issueCertificate } from './x509.ts';

export interface CertificateFiles extends Certificate {
  readonly certificatePath: string;
  readonly keyPath: string;
}

export interface TestCertificates {
  readonly folder: string;
  readonly authority: CertificateFiles;
  /** For localhost and 127.0.0.1. */
  readonly server: CertificateFiles;
  /** Signed by the authority too, but for another host. */
  readonly misnamed: CertificateFiles;
  /** For localhost, by an authority nobody trusts. */
  readonly foreign: CertificateFiles;
  readonly client: CertificateFiles;
  remove(): void;
}

/** `user` is who the client's certificate is for. The caller calls `remove` when it is done. */
export function makeCertificates(user = 'cert_user'): TestCertificates {
  const folder = mkdtempSync(join(tmpdir(), 'sluice-certs-'));
  const authority = certificateAuthority('Sluice test authority');
  const stranger = certificateAuthority('Some other authority');
  const hosts = ['localhost', '127.0.0.1'];
  const file = (name: string, pem: Certificate): CertificateFiles => write(folder, name, pem);
  return {
    folder,
    authority: file('authority', authority),
    server: file('server', issueCertificate(authority, 'localhost', hosts)),
    misnamed: file('misnamed', issueCertificate(authority, 'elsewhere', ['elsewhere.example'])),
    foreign: file('foreign', issueCertificate(stranger, 'localhost', hosts)),
    client: file('client', issueCertificate(authority, user)),
    remove: () => rmSync(folder, { recursive: true, force: true }),
  };
}

function write(folder: string, name: string, pem: Certificate): CertificateFiles {
  const certificatePath = join(folder, `${name}.crt`);
  const keyPath = join(folder, `${name}.key`);
  writeFileSync(certificatePath, pem.certificate);
  // libpq and Postgres refuse a key that others may read.
  writeFileSync(keyPath, pem.key, { mode: 0o600 });
  chmodSync(keyPath, 0o600);
  return { ...pem, certificatePath, keyPath };
}
