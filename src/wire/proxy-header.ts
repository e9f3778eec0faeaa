/**
 * The PROXY protocol header, version 2 (haproxy.org, proxy-protocol.txt, section 2.2): what a
 * balancer puts in front of a connection to say whose it is. Only a listener that is configured to
 * has it read, and then nobody comes in without it: anybody else could claim any address.
 *
 *     signature (12)  version and command (1)  family (1)  length (2)  addresses, then TLVs
 *
 * TLVs are skipped: what they claim of the client (certificates, names) was not checked here.
 */
import { ProtocolViolation } from '../errors/protocol-violation.ts';

const SIGNATURE = Buffer.from('0d0a0d0a000d0a515549540a', 'hex');
const HEADER_BYTES = 16;
/** Addresses take 216 bytes at most; the rest is room for TLVs, of which balancers send few. */
const BODY_BYTES_MAX = 4_096;

const VERSION_2 = 0x20;
const COMMAND_LOCAL = 0;
const COMMAND_PROXY = 1;
const TCP_IPV4 = 0x11;
const TCP_IPV6 = 0x21;
const UNIX_STREAM = 0x31;
const UNSPECIFIED = 0x00;
const ADDRESS_BYTES: Readonly<Record<number, number>> = {
  [TCP_IPV4]: 12,
  [TCP_IPV6]: 36,
  [UNIX_STREAM]: 216,
};

export interface ProxyHeader {
  /** Bytes of the header; what follows is the client's. */
  readonly length: number;
  /** Null: the balancer speaks for itself (a health check), or does not say for whom. */
  readonly source: { readonly address: string; readonly port: number } | null;
}

/** Null while the header is not complete. Throws as soon as it cannot be one. */
export function decodeProxyHeader(bytes: Buffer): ProxyHeader | null {
  const known = Math.min(bytes.length, SIGNATURE.length);
  if (bytes.compare(SIGNATURE, 0, known, 0, known) !== 0) {
    throw new ProtocolViolation('no PROXY protocol header, version 2');
  }
  if (bytes.length < HEADER_BYTES) return null;
  const version = bytes[12]! & 0xf0;
  const command = bytes[12]! & 0x0f;
  const family = bytes[13]!;
  const bodyLength = bytes.readUInt16BE(14);
  if (version !== VERSION_2) throw violation(`its version is ${version >> 4}`);
  if (command !== COMMAND_LOCAL && command !== COMMAND_PROXY) {
    throw violation(`its command is ${command}`);
  }
  if (bodyLength > BODY_BYTES_MAX) throw violation(`it is ${bodyLength} bytes long`);
  const length = HEADER_BYTES + bodyLength;
  if (bytes.length < length) return null;
  // LOCAL: whatever stands in the addresses must be ignored.
  if (command === COMMAND_LOCAL || family === UNSPECIFIED) return { length, source: null };
  const needed = ADDRESS_BYTES[family];
  if (needed === undefined) throw violation(`its family is 0x${family.toString(16)}`);
  if (bodyLength < needed) throw violation('it is too short for its addresses');
  return { length, source: sourceOf(bytes, family) };
}

export type ProxySource = NonNullable<ProxyHeader['source']>;

function sourceOf(bytes: Buffer, family: number): ProxySource {
  if (family === TCP_IPV4) {
    const address = [...bytes.subarray(16, 20)].join('.');
    return { address, port: bytes.readUInt16BE(24) };
  }
  if (family === TCP_IPV6) {
    const groups = Array.from({ length: 8 }, (_, index) =>
      bytes.readUInt16BE(16 + index * 2).toString(16),
    );
    return { address: canonical(groups.join(':')), port: bytes.readUInt16BE(48) };
  }
  // A unix socket has no address that a network could contain.
  return { address: '', port: 0 };
}

/** The shortest spelling, as sockets report it. */
function canonical(address: string): string {
  return new URL(`http://[${address}]`).hostname.slice(1, -1);
}

function violation(problem: string): ProtocolViolation {
  return new ProtocolViolation(`invalid PROXY protocol header: ${problem}`);
}
