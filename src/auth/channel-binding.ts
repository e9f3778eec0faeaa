/**
 * What ties a SCRAM exchange to the TLS channel it runs in: `tls-server-end-point` (RFC 5929,
 * section 4), the only type Postgres knows. Both sides hash the certificate the server has shown;
 * somebody in between who shows another one cannot pass the exchange on.
 *
 * The hash is the one the certificate is signed with, SHA-256 in place of MD5 and SHA-1. Signatures
 * that name none (Ed25519) have no such binding, and libpq cannot make one either: PLUS is then not
 * offered. The name of the hash has to be read from the certificate's DER, because the platform
 * reports RSA-PSS without its parameters.
 */
import { createHash } from 'node:crypto';

export const BINDING_TYPE = 'tls-server-end-point';

const SEQUENCE = 0x30;
const OBJECT_ID = 0x06;
const CONTEXT_0 = 0xa0;

/** Object identifiers of signatures and of hashes, in hex as they are encoded. */
const HASHES: Readonly<Record<string, string>> = {
  '2a864886f70d010104': 'sha256', // md5WithRSAEncryption
  '2a864886f70d010105': 'sha256', // sha1WithRSAEncryption
  '2a864886f70d01010e': 'sha224',
  '2a864886f70d01010b': 'sha256',
  '2a864886f70d01010c': 'sha384',
  '2a864886f70d01010d': 'sha512',
  '2a8648ce3d0401': 'sha256', // ecdsa-with-SHA1
  '2a8648ce3d040301': 'sha224',
  '2a8648ce3d040302': 'sha256',
  '2a8648ce3d040303': 'sha384',
  '2a8648ce3d040304': 'sha512',
  '2b0e03021a': 'sha256', // sha1 itself
  '608648016503040204': 'sha224',
  '608648016503040201': 'sha256',
  '608648016503040202': 'sha384',
  '608648016503040203': 'sha512',
};
const RSA_PSS = '2a864886f70d01010a';

/** The binding's data for the certificate (DER) the server shows; null where there is none. */
export function tlsServerEndPoint(certificate: Buffer): Buffer | null {
  const hash = signatureHash(certificate);
  return hash === null ? null : createHash(hash).update(certificate).digest();
}

interface Element {
  readonly tag: number;
  readonly start: number;
  readonly end: number;
}

/** Certificate ::= SEQUENCE { tbsCertificate, signatureAlgorithm, signatureValue } */
function signatureHash(der: Buffer): string | null {
  const certificate = readElement(der, 0, der.length);
  if (certificate?.tag !== SEQUENCE) return null;
  const [, algorithm] = children(der, certificate);
  if (algorithm?.tag !== SEQUENCE) return null;
  const [identifier, parameters] = children(der, algorithm);
  const name = objectId(der, identifier);
  if (name === null) return null;
  if (name !== RSA_PSS) return HASHES[name] ?? null;
  return parameters === undefined ? 'sha256' : pssHash(der, parameters);
}

/** RSASSA-PSS-params ::= SEQUENCE { [0] hashAlgorithm DEFAULT sha1, … }. SHA-1 means SHA-256. */
function pssHash(der: Buffer, parameters: Element): string | null {
  const tagged = children(der, parameters).find((element) => element.tag === CONTEXT_0);
  if (tagged === undefined) return 'sha256';
  const [algorithm] = children(der, tagged);
  if (algorithm === undefined) return null;
  const name = objectId(der, children(der, algorithm)[0]);
  return name === null ? null : (HASHES[name] ?? null);
}

function objectId(der: Buffer, element: Element | undefined): string | null {
  if (element?.tag !== OBJECT_ID) return null;
  return der.toString('hex', element.start, element.end);
}

function children(der: Buffer, parent: Element): Element[] {
  const found: Element[] = [];
  for (let at = parent.start; at < parent.end; ) {
    const element = readElement(der, at, parent.end);
    if (element === null) break;
    found.push(element);
    at = element.end;
  }
  return found;
}

/** The element at `at`; null when it does not fit before `limit`. */
function readElement(der: Buffer, at: number, limit: number): Element | null {
  const tag = der[at];
  const first = der[at + 1];
  if (tag === undefined || first === undefined) return null;
  let start = at + 2;
  let length = first;
  if (first >= 0x80) {
    const bytes = first & 0x7f;
    if (bytes === 0 || bytes > 4 || start + bytes > limit) return null;
    length = der.readUIntBE(start, bytes);
    start += bytes;
  }
  return start + length > limit ? null : { tag, start, end: start + length };
}
