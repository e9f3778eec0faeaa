/**
 * Whether certificates and keys are what they should be, found out when the file is read and not
 * when the first client comes. An expired certificate is a warning: refusing to start because of it
 * would turn a nuisance, that many clients do not even notice, into an outage.
 */
import { createPrivateKey, X509Certificate } from 'node:crypto';
import { keyPath, type Problems } from './problems.ts';

interface Pair {
  readonly cert: string | null;
  readonly key: string | null;
}

/** Long enough to notice between two looks at the logs, short enough not to be noise for months. */
const EXPIRY_WARNING_MS = 14 * 86_400_000;

export function checkPair(pair: Pair, path: string, problems: Problems, wallMs: number): void {
  const { cert, key } = pair;
  const certPath = keyPath(path, 'cert');
  const privatePath = keyPath(path, 'key');
  // One that could not be read is also null, and is not missing.
  if (cert !== null && key === null && !problems.isWrong(privatePath)) {
    problems.add(certPath, 'needs `key` beside it');
  }
  if (cert === null && key !== null && !problems.isWrong(certPath)) {
    problems.add(privatePath, 'needs `cert` beside it');
  }
  if (cert !== null) checkCertificate(cert, certPath, problems, wallMs);
  if (key !== null) checkKey(key, privatePath, problems);
  if (cert === null || key === null) return;
  if (problems.isWrong(certPath) || problems.isWrong(privatePath)) return;
  if (!new X509Certificate(cert).checkPrivateKey(createPrivateKey(key))) {
    problems.add(privatePath, 'is not the key of the certificate in `cert`');
  }
}

export function checkCertificate(
  pem: string,
  path: string,
  problems: Problems,
  wallMs: number,
): void {
  let certificate: X509Certificate;
  try {
    certificate = new X509Certificate(pem);
  } catch {
    problems.add(path, 'holds no certificate that can be read (-----BEGIN CERTIFICATE-----)');
    return;
  }
  const { validFrom, validTo } = certificate;
  if (Date.parse(validTo) <= wallMs) problems.warn(path, `expired on ${validTo}`);
  else if (Date.parse(validFrom) > wallMs) problems.warn(path, `is not valid before ${validFrom}`);
  else if (Date.parse(validTo) <= wallMs + EXPIRY_WARNING_MS) {
    problems.warn(path, `expires on ${validTo}`);
  }
}

function checkKey(pem: string, path: string, problems: Problems): void {
  try {
    createPrivateKey(pem);
  } catch {
    problems.add(
      path,
      pem.includes('ENCRYPTED')
        ? 'is encrypted; a key without a passphrase is needed'
        : 'holds no private key that can be read (-----BEGIN PRIVATE KEY-----)',
    );
  }
}
