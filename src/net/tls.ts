/**
 * Puts TLS on a link that is already connected, on either side. The bytes that asked for TLS
 * (SSLRequest and its one-byte answer) are the caller's; here the handshake begins.
 */
import { X509Certificate } from 'node:crypto';
import tls from 'node:tls';
import type { Link } from './link.ts';

/** Older versions have known weaknesses, and Postgres's own default is 1.2 as well. */
const MIN_VERSION = 'TLSv1.2';

/** The name of Postgres's protocol in TLS (ALPN), by which libpq asks since version 17. */
export const ALPN = 'postgresql';

/** What a listener presents. Made once per configuration, shared by all its links. */
export interface ServerTlsContext {
  readonly secureContext: tls.SecureContext;
  /** The certificate clients see, in DER. */
  readonly certificate: Buffer;
  /** Clients are asked for a certificate; whether they must have one is not TLS's business. */
  readonly asksForCertificate: boolean;
}

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
  const secureContext = tls.createSecureContext({
    cert,
    key,
    minVersion: MIN_VERSION,
    ...(clientCa === null ? {} : { ca: clientCa }),
  });
  const certificate = new X509Certificate(cert).raw;
  return { secureContext, certificate, asksForCertificate: clientCa !== null };
}

/**
 * Answers a client's handshake, whose first bytes have been read. `done` gets null, or what went
 * wrong; the link is then closing.
 */
export function acceptTls(
  link: Link,
  context: ServerTlsContext,
  hello: Buffer,
  done: (error: Error | null) => void,
): void {
  const plain = link.socket;
  link.unread(hello);
  const secure = new tls.TLSSocket(plain, {
    isServer: true,
    secureContext: context.secureContext,
    ALPNProtocols: [ALPN],
    requestCert: context.asksForCertificate,
    rejectUnauthorized: false,
  });
  link.replaceSocket(secure);
  link.resume();
  settleOnce(secure, 'secure', done);
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
    ALPNProtocols: [ALPN],
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
  settleOnce(secure, 'secureConnect', done);
}

/** The protocol both sides agreed on by ALPN; null where none was named. */
export function agreedProtocol(link: Link): string | null {
  const { socket } = link;
  return socket instanceof tls.TLSSocket && typeof socket.alpnProtocol === 'string'
    ? socket.alpnProtocol
    : null;
}

/** The certificate the peer has shown, in DER, whoever signed it; null where there is none. */
export function shownCertificate(link: Link): Buffer | null {
  const { socket } = link;
  if (!(socket instanceof tls.TLSSocket)) return null;
  return socket.getPeerX509Certificate()?.raw ?? null;
}

/**
 * The certificate a client has shown, if one of the listener's authorities has signed it. A client
 * that shows another one is a client without a certificate: many drivers show whatever they have.
 */
export function verifiedClientCertificate(link: Link): Buffer | null {
  const certificate = shownCertificate(link);
  if (certificate === null) return null;
  // `authorized` is set by tls.Server only, which this socket did not come from; it asks the same
  // question of the same object (OpenSSL's SSL_get_verify_result).
  const { ssl } = link.socket as unknown as { ssl: { verifyError(): Error | null } | null };
  return ssl !== null && ssl.verifyError() === null ? certificate : null;
}

/** Until the handshake is over an error is the handshake's; afterwards it is the link's. */
function settleOnce(
  secure: tls.TLSSocket,
  event: 'secure' | 'secureConnect',
  done: (error: Error | null) => void,
): void {
  let settled = false;
  const settle = (error: Error | null): void => {
    if (settled) return;
    settled = true;
    done(error);
  };
  secure.once(event, () => settle(null));
  secure.once('error', settle);
  secure.once('close', () => settle(new Error('the connection closed during the TLS handshake')));
}

function isIpAddress(host: string): boolean {
  return /^[\d.]+$/.test(host) || host.includes(':');
}
