/**
 * The short form of a target: `postgres://host:port/database?sslmode=…`, as libpq and every driver
 * take it. Only what names a server is accepted. A user or password in it would be the account that
 * watches the server (health, catalog), which is not in this version; it is refused rather than
 * ignored, because whoever wrote it expects it to be used.
 */
import type { TlsMode } from './snapshot.ts';
import { address, identifier } from './texts.ts';
import { type ValueType, WrongValue } from './value-type.ts';

export interface ServerUrl {
  readonly host: string;
  readonly port: number;
  /** Null where the url names none: the database's own name then holds. */
  readonly database: string | null;
  readonly tlsMode: TlsMode | null;
}

export const TLS_MODES = [
  'disable',
  'allow',
  'prefer',
  'require',
  'verify-ca',
  'verify-full',
] as const satisfies readonly TlsMode[];

const URL_FORM = /^postgres(?:ql)?:\/\/([^/?#]*)(?:\/([^?#]*))?(?:\?([^#]*))?$/;

export const serverUrl: ValueType<ServerUrl> = {
  name: 'a server url',
  form: 'postgres://host:port/database?sslmode=prefer',
  example: 'postgres://db1:5432/shop',
  source: 'text',
  parse(text) {
    const match = URL_FORM.exec(text);
    if (/^postgres(ql)?:\/\/.*@/.test(text))
      throw new WrongValue('a user or password in a url', true);
    if (match === null) throw new WrongValue('');
    const [, authority = '', path = '', query = ''] = match;
    if (authority === '') throw new WrongValue('it names no host');
    const place = address.parse(decoded(authority));
    const database = path === '' ? null : identifier.parse(decoded(path));
    return { ...place, database, tlsMode: tlsMode(query) };
  },
  json: { type: 'string', pattern: '^postgres(ql)?://' },
};

function tlsMode(query: string): TlsMode | null {
  let mode: TlsMode | null = null;
  for (const [parameter, value] of new URLSearchParams(query)) {
    if (parameter !== 'sslmode') throw new WrongValue('the only parameter it may have is sslmode');
    mode = TLS_MODES.find((candidate) => candidate === value) ?? null;
    if (mode === null) throw new WrongValue(`sslmode is one of ${TLS_MODES.join(', ')}`);
  }
  return mode;
}

function decoded(part: string): string {
  try {
    return decodeURIComponent(part);
  } catch {
    throw new WrongValue('it has a % that is not followed by two hex digits');
  }
}
