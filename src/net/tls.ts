/**
 * Puts TLS on a link that is already connected, on either side. The bytes that asked for TLS
 * (SSLRequest and its one-byte answer) are the caller's; here the handshake begins.
 */
import tls from 'node:tls';
import type { Link } from './link.ts';

/** Older versions have known weaknesses, and Postgres's own default is 1.2 as well. */
const MIN_VERSION = 'TLSv1.2';

/** What a listener presents. Made once per configuration, shared by all its links. */
export type ServerTlsContext = tls.SecureContext;

export interface ClientTlsOptions {
  /** `verify-ca` checks who signed the certificate, `verify-full` also whose name it bears. */
  readonly verify: 'none' | 'ca' | 'full';
  readonly host: string;
  readonly ca: string | null;
  readonly cert: string | null;
  readonly key: string | null;
}

export function serverTlsContext(
  cert: string,
  key: string,
  clientCa: string | null,
): ServerTlsContext {
  return tls.createSecureContext({
    cert,
    key,
    minVersion: MIN_VERSION,
    ...(clientCa === null ? {} : { ca: clientCa }),
  });
}

/** Answers a client's handshake. `done` gets null, or what went wrong; the link is then closing. */
export function acceptTls(
  link: Link,
  context: ServerTlsContext,
  done: (error: Error | null) => void,
): void {
  const plain = link.socket;
  const secure = new tls.TLSSocket(plain, { isServer: true, secureContext: context });
  link.replaceSocket(secure);
  // Until the handshake is over an error is the handshake's; afterwards it is the link's.
  let settled = false;
  const settle = (error: Error | null): void => {
    if (settled) return;
    settled = true;
    done(error);
  };
  secure.once('secure', () => settle(null));
  secure.once('error', settle);
  secure.once('close', () => settle(new Error('the connection closed during the TLS handshake')));
}

/** Opens a handshake with a server that has agreed to TLS. */
export function connectTls(
  link: Link,
  options: ClientTlsOptions,
  done: (error: Error | null) => void,
): void {
  const secure = tls.connect({
    socket: link.socket,
    minVersion: MIN_VERSION,
    rejectUnauthorized: options.verify !== 'none',
    // Node compares the name itself; `verify-ca` asks only for a signature it trusts.
    ...(options.verify === 'full' ? {} : { checkServerIdentity: () => undefined }),
    ...(isIpAddress(options.host) ? {} : { servername: options.host }),
    host: options.host,
    ...(options.ca === null ? {} : { ca: options.ca }),
    ...(options.cert === null ? {} : { cert: options.cert }),
    ...(options.key === null ? {} : { key: options.key }),
  });
  link.replaceSocket(secure);
  let settled = false;
  const settle = (error: Error | null): void => {
    if (settled) return;
    settled = true;
    done(error);
  };
  secure.once('secureConnect', () => settle(null));
  secure.once('error', settle);
  secure.once('close', () => settle(new Error('the connection closed during the TLS handshake')));
}

function isIpAddress(host: string): boolean {
  return /^[\d.]+$/.test(host) || host.includes(':');
}
