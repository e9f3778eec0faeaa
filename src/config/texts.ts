/** Values that are named rather than measured: words, names, globs, networks, hosts, secrets. */
import { isNetwork } from '../util/networks.ts';
import { didYouMean } from './suggest.ts';
import { type JsonSchema, type ValueType, WrongValue } from './value-type.ts';
import { parsePort } from './values.ts';

/** One of a few words. `later` are words of the contract whose features are not in this version. */
export function choice<const W extends string>(
  words: readonly W[],
  options: { later?: readonly string[] } = {},
): ValueType<W> {
  const form =
    words.length === 1 ? words[0]! : `${words.slice(0, -1).join(', ')} or ${words.at(-1)}`;
  return {
    name: 'a choice here',
    form,
    example: words[0]!,
    source: 'text',
    parse(text) {
      const word = words.find((candidate) => candidate === text);
      if (word !== undefined) return word;
      if (options.later?.includes(text)) throw new WrongValue('', true);
      throw new WrongValue(didYouMean(text, words).trim());
    },
    json: { enum: words },
  };
}

export const boolean: ValueType<boolean> = {
  name: 'a yes or no',
  form: 'true or false',
  example: 'true',
  source: 'text',
  parse(text) {
    if (text === 'true') return true;
    if (text === 'false') return false;
    throw new WrongValue('');
  },
  json: { type: 'boolean' },
};

/** A name the configuration itself gives: it becomes a metric label and a word in the console. */
const NAME = /^[A-Za-z0-9_][A-Za-z0-9_.-]{0,62}$/;
const NAME_FORM = 'letters, digits, _ . and -, at most 63, not beginning with . or -';

export const name: ValueType<string> = {
  name: 'a name',
  form: NAME_FORM,
  example: 'orders',
  source: 'text',
  parse: (text) => matching(text, NAME),
  json: { type: 'string', pattern: NAME.source },
};

/** NAMEDATALEN - 1: Postgres cuts off what is longer, and then it is another name. */
const IDENTIFIER_BYTES_MAX = 63;
const IDENTIFIER_FORM = 'a name as Postgres has it, 1 to 63 bytes';

/** The name of a user or database in Postgres, where almost every character may occur. */
export const identifier: ValueType<string> = {
  name: 'a Postgres name',
  form: IDENTIFIER_FORM,
  example: 'shop',
  source: 'text',
  parse(text) {
    if (text === '') throw new WrongValue('it is empty');
    if (text.includes('\0')) throw new WrongValue('it contains a zero byte');
    if (Buffer.byteLength(text) <= IDENTIFIER_BYTES_MAX) return text;
    throw new WrongValue(`it is longer than ${IDENTIFIER_BYTES_MAX} bytes`);
  },
  json: { type: 'string', minLength: 1 },
};

export const glob: ValueType<string> = {
  name: 'a glob',
  form: 'a name in which * stands for any characters and ? for one',
  example: 'report-*',
  source: 'text',
  parse: nonEmpty,
  json: { type: 'string', minLength: 1 },
};

export const network: ValueType<string> = {
  name: 'a network',
  form: '10.1.0.0/16, fd00::/8, or one address',
  example: '10.1.0.0/16',
  source: 'text',
  parse(text) {
    if (isNetwork(text)) return text;
    throw new WrongValue('');
  },
  json: { type: 'string' },
};

const HOST = /^[A-Za-z0-9_]([A-Za-z0-9_.-]{0,252}[A-Za-z0-9_.])?$/;

/** An address to listen on. Names are resolved by the system when the listener opens. */
export const host: ValueType<string> = {
  name: 'a host',
  form: 'an address or a host name',
  example: '127.0.0.1',
  source: 'text',
  parse: (text) => parseHost(text),
  json: { type: 'string', minLength: 1 },
};

export interface Address {
  readonly host: string;
  readonly port: number;
}

/** Postgres's port, as libpq takes it where none is given. */
const POSTGRES_PORT = 5432;

/** Where a server listens: `db1:5432`, `[::1]:5432`, or the directory of a unix socket. */
export const address: ValueType<Address> = {
  name: 'an address',
  form: 'host:port, [IPv6]:port, or the directory of a unix socket',
  example: 'db1:5432',
  source: 'text',
  parse(text) {
    const match = /^(\/[^:]*|\[[^\]]*\]|[^:[\]]*)(?::(.*))?$/.exec(text);
    if (match === null) throw new WrongValue('an IPv6 address goes in [brackets]');
    const [, place = '', suffix] = match;
    const port = suffix === undefined ? POSTGRES_PORT : parsePort(suffix);
    if (port === 0) throw new WrongValue('a server has no port 0');
    return { host: place.startsWith('/') ? place : parseHost(place.replace(/^\[|\]$/g, '')), port };
  },
  json: { type: 'string', minLength: 1 },
};

/** Any text but an empty one. */
export const text: ValueType<string> = {
  name: 'a text',
  form: 'any text that is not empty',
  example: 'text',
  source: 'text',
  parse: nonEmpty,
  json: { type: 'string', minLength: 1 },
};

export const secret: ValueType<string> = {
  name: 'a secret',
  form: `the secret itself, "\${NAME}" from the environment, or "file:/run/secrets/name"`,
  example: 'file:/run/secrets/name',
  source: 'secret',
  parse: nonEmpty,
  json: { type: ['string', 'integer'], minLength: 1 },
};

/** What a server stores of a password. It lets a user in here, but nobody in there. */
const STORED = /^(SCRAM-SHA-256\$\d+:|md5[0-9a-f]{32}$)/;

/** What a client proves to have: a password, or what a server stores of one. */
export const userPassword: ValueType<string> = {
  ...secret,
  name: 'a password',
  form: `the password itself, "\${NAME}" from the environment, or "file:/run/secrets/name"`,
  parse(value) {
    if (value.includes('\0')) throw new WrongValue('it contains a zero byte');
    if (VERIFIER_BEGINNING.test(value) && !VERIFIER.test(value)) {
      throw new WrongValue('it begins like a SCRAM verifier and is none');
    }
    return nonEmpty(value);
  },
};

const VERIFIER_BEGINNING = /^SCRAM-SHA-256\$/;
const VERIFIER =
  /^SCRAM-SHA-256\$[1-9]\d*:[A-Za-z0-9+/]+=*\$[A-Za-z0-9+/]{43}=:[A-Za-z0-9+/]{43}=$/;

/** What Sluice itself logs in to servers with. */
export const password: ValueType<string> = {
  ...secret,
  name: 'a password',
  form: `the password itself, "\${NAME}" from the environment, or "file:/run/secrets/name"`,
  parse(value) {
    if (STORED.test(value)) throw new WrongValue('it is what a server stores of one');
    return userPassword.parse(value);
  },
};

export interface TextFile {
  /** As it was found, for whoever has something to say about a line of it. */
  readonly path: string;
  readonly text: string;
}

/** The path of a file whose own form is checked elsewhere. */
export const textFile: ValueType<TextFile> = {
  name: 'the path of a file',
  form: 'the path of a text file',
  example: 'pg_hba.conf',
  source: 'file',
  parse: (text, path) => ({ path: path ?? '', text }),
  json: { type: 'string', minLength: 1 },
};

const PEM = /-----BEGIN [A-Z0-9 ]+-----[\s\S]+-----END [A-Z0-9 ]+-----/;

/** The text of a PEM file; the file holds its path. Whether it is any good is checked elsewhere. */
export const pem: ValueType<string> = {
  name: 'a PEM file',
  form: 'the path of a file that begins with -----BEGIN',
  example: 'server.pem',
  source: 'pem',
  parse: (value) => matching(value, PEM),
  json: { type: 'string', minLength: 1 } satisfies JsonSchema,
};

function parseHost(value: string): string {
  if (value.includes(':')) {
    if (isNetwork(value) && !value.includes('/')) return value;
    throw new WrongValue('it looks like IPv6 but is not');
  }
  if (value.includes('/')) throw new WrongValue('a unix socket cannot be used here');
  return matching(value, HOST);
}

function nonEmpty(value: string): string {
  if (value === '') throw new WrongValue('it is empty');
  return value;
}

function matching(value: string, form: RegExp): string {
  if (form.test(value)) return value;
  throw new WrongValue(value === '' ? 'it is empty' : '');
}
