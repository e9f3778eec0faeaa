/**
 * X.509 certificates for tests, made without the openssl program, so that `npm test` needs nothing
 * but Node. Node can sign and can read certificates but cannot write them; what is missing is the
 * DER encoding of one structure, and that is this file (RFC 5280, section 4.1; keys on P-256).
 */
import {
  createPrivateKey,
  createPublicKey,
  generateKeyPairSync,
  randomBytes,
  sign,
} from 'node:crypto';
import { isIP } from 'node:net';

/** A certificate and its key in PEM form. */
export interface Certificate {
  readonly certificate: string;
  readonly key: string;
  readonly commonName: string;
}

/** Signs certificates and is trusted for that: give its `certificate` to the verifying side. */
export function certificateAuthority(commonName: string): Certificate {
  return issue({ commonName, names: [], authority: true, issuer: null });
}

/** `names` are host names and addresses the certificate is good for; none for a client's. */
export function issueCertificate(
  issuer: Certificate,
  commonName: string,
  names: readonly string[] = [],
): Certificate {
  return issue({ commonName, names, authority: false, issuer });
}

const INTEGER = 0x02;
const BIT_STRING = 0x03;
const OCTET_STRING = 0x04;
const OBJECT_ID = 0x06;
const UTF8_STRING = 0x0c;
const SEQUENCE = 0x30;
const SET = 0x31;
const GENERALIZED_TIME = 0x18;
const VERSION_TAG = 0xa0;
const EXTENSIONS_TAG = 0xa3;
const DNS_NAME = 0x82;
const IP_ADDRESS = 0x87;

/** Object identifiers, already encoded. */
const OID_COMMON_NAME = Buffer.from('550403', 'hex');
const OID_SUBJECT_ALT_NAME = Buffer.from('551d11', 'hex');
const OID_BASIC_CONSTRAINTS = Buffer.from('551d13', 'hex');
const OID_ECDSA_WITH_SHA256 = Buffer.from('2a8648ce3d040302', 'hex');
const TRUE = Buffer.from([0x01, 0x01, 0xff]);

interface Request {
  readonly commonName: string;
  readonly names: readonly string[];
  readonly authority: boolean;
  /** Null signs itself. */
  readonly issuer: Certificate | null;
}

function issue(request: Request): Certificate {
  const pair = generateKeyPairSync('ec', { namedCurve: 'prime256v1' });
  const key = pair.privateKey.export({ type: 'pkcs8', format: 'pem' }).toString();
  const signer = createPrivateKey(request.issuer?.key ?? key);
  const algorithm = der(SEQUENCE, der(OBJECT_ID, OID_ECDSA_WITH_SHA256));
  const body = der(
    SEQUENCE,
    der(VERSION_TAG, der(INTEGER, Buffer.from([2]))),
    // The first bit of an integer is its sign, and a serial number is positive.
    der(INTEGER, Buffer.from([0x01]), randomBytes(15)),
    algorithm,
    name(request.issuer?.commonName ?? request.commonName),
    der(SEQUENCE, time('20200101000000Z'), time('21200101000000Z')),
    name(request.commonName),
    createPublicKey(key).export({ type: 'spki', format: 'der' }),
    der(EXTENSIONS_TAG, der(SEQUENCE, ...extensions(request))),
  );
  const signature = sign('sha256', body, signer);
  const whole = der(SEQUENCE, body, algorithm, der(BIT_STRING, Buffer.from([0]), signature));
  return { certificate: pem(whole), key, commonName: request.commonName };
}

function extensions(request: Request): Buffer[] {
  const constraints = request.authority ? der(SEQUENCE, TRUE) : der(SEQUENCE);
  const list = [extension(OID_BASIC_CONSTRAINTS, TRUE, constraints)];
  if (request.names.length > 0) {
    const names = request.names.map((host) =>
      isIP(host) === 4
        ? der(IP_ADDRESS, Buffer.from(host.split('.').map(Number)))
        : der(DNS_NAME, Buffer.from(host, 'ascii')),
    );
    list.push(extension(OID_SUBJECT_ALT_NAME, Buffer.alloc(0), der(SEQUENCE, ...names)));
  }
  return list;
}

/** `critical` is TRUE or empty, for its default. */
function extension(oid: Buffer, critical: Buffer, value: Buffer): Buffer {
  return der(SEQUENCE, der(OBJECT_ID, oid), critical, der(OCTET_STRING, value));
}

function name(commonName: string): Buffer {
  const attribute = der(OBJECT_ID, OID_COMMON_NAME);
  const value = der(UTF8_STRING, Buffer.from(commonName, 'utf8'));
  return der(SEQUENCE, der(SET, der(SEQUENCE, attribute, value)));
}

function time(text: string): Buffer {
  return der(GENERALIZED_TIME, Buffer.from(text, 'ascii'));
}

function der(tag: number, ...parts: readonly Buffer[]): Buffer {
  const content = Buffer.concat(parts);
  const { length } = content;
  if (length < 0x80) return Buffer.concat([Buffer.from([tag, length]), content]);
  const head = length < 0x100 ? [tag, 0x81, length] : [tag, 0x82, length >> 8, length & 0xff];
  return Buffer.concat([Buffer.from(head), content]);
}

function pem(bytes: Buffer): string {
  const lines = bytes.toString('base64').match(/.{1,64}/g) ?? [];
  return `-----BEGIN CERTIFICATE-----\n${lines.join('\n')}\n-----END CERTIFICATE-----\n`;
}
