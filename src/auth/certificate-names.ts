/**
 * The names a client's certificate bears: its common name, and its alternative names for hosts,
 * mailboxes and URIs (SPIFFE). Who signed it is checked by TLS before anybody asks for them.
 *
 * What could be read in two ways is not a name: several common names, and anything with control
 * characters in it, a zero byte above all (a certificate for `admin\0.example.com` is not one for
 * `admin`).
 */
import { X509Certificate } from 'node:crypto';

// biome-ignore lint/suspicious/noControlCharactersInRegex: control characters are the point.
const CONTROL = /[\x00-\x1f\x7f]/;

/** Node writes a value with odd characters in it as a JSON string. */
const ALTERNATIVE = /(DNS|email|URI):("(?:[^"\\]|\\.)*"|[^",]*)(?:, |$)|[^,]*(?:, |$)/gy;

export function certificateNames(der: Buffer): string[] {
  const certificate = new X509Certificate(der);
  const names = new Set<string>();
  const common = certificate.toLegacyObject().subject?.CN as string | string[] | undefined;
  if (typeof common === 'string') names.add(common);
  for (const name of alternativeNames(certificate.subjectAltName ?? '')) names.add(name);
  return [...names].filter((name) => name !== '' && !CONTROL.test(name));
}

function* alternativeNames(text: string): Iterable<string> {
  for (const [, kind, value] of text.matchAll(ALTERNATIVE)) {
    if (kind === undefined || value === undefined) continue;
    yield value.startsWith('"') ? (JSON.parse(value) as string) : value;
  }
}
