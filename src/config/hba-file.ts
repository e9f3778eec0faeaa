/**
 * Reads a file in the form of pg_hba.conf (Postgres's documentation, section 20.1):
 *
 *     TYPE  DATABASE  USER  ADDRESS  METHOD  [OPTIONS]
 *
 * What cannot be kept here is a problem and never skipped: an entry that is left out would change
 * who gets in. Those are groups (`+role`), files (`@file`), patterns (`/regex`), host names,
 * options, and methods that need another authority. `local` entries are read and match nobody,
 * since Sluice has no unix socket for clients; `replication` likewise.
 */
import { isNetwork } from '../util/networks.ts';
import type { HbaNameConfig, HbaRuleConfig } from './snapshot.ts';

export interface HbaProblem {
  readonly line: number;
  readonly message: string;
}

export interface HbaFile {
  readonly rules: readonly HbaRuleConfig[];
  readonly problems: readonly HbaProblem[];
}

interface Token {
  readonly text: string;
  readonly quoted: boolean;
}

/** A field is a list of tokens: `a,b` is one field. */
type Field = readonly Token[];

const TYPES: Readonly<Record<string, HbaRuleConfig['encryption']>> = {
  host: 'any',
  hostssl: 'tls',
  hostnossl: 'plain',
};
const METHODS = ['trust', 'reject', 'md5', 'scram-sha-256', 'cert'] as const;
/** Methods and connection types Postgres has and Sluice has not. */
const UNAVAILABLE: ReadonlySet<string> = new Set([
  ...['password', 'gss', 'sspi', 'ident', 'peer', 'ldap', 'radius', 'pam', 'bsd', 'oauth'],
  ...['hostgssenc', 'hostnogssenc', 'include', 'include_if_exists', 'include_dir'],
]);
const NOT_AVAILABLE = 'is not available in this version';

export function parseHbaFile(text: string): HbaFile {
  const rules: HbaRuleConfig[] = [];
  const problems: HbaProblem[] = [];
  for (const { line, content } of logicalLines(text)) {
    try {
      const fields = splitFields(content);
      if (fields.length === 0) continue;
      const rule = readRule(fields, line);
      if (rule !== null) rules.push(rule);
    } catch (error) {
      if (!(error instanceof Wrong)) throw error;
      problems.push({ line, message: error.message });
    }
  }
  return { rules, problems };
}

class Wrong extends Error {}

/** A backslash at the end of a line continues it. */
function* logicalLines(text: string): Iterable<{ line: number; content: string }> {
  const lines = text.split(/\r?\n/);
  for (let index = 0; index < lines.length; index++) {
    const line = index + 1;
    let content = lines[index] as string;
    while (content.endsWith('\\') && index + 1 < lines.length) {
      index++;
      content = content.slice(0, -1) + lines[index];
    }
    yield { line, content };
  }
}

function splitFields(line: string): Field[] {
  const fields: Token[][] = [];
  let at = 0;
  /** A comma before the token, or one that ended the last: the list goes on. */
  let joined = false;
  while (at < line.length) {
    const character = line[at] as string;
    if (character === '#') break;
    if (/\s/.test(character)) {
      at++;
    } else if (character === ',') {
      if (fields.length === 0) throw new Wrong('begins with a comma');
      joined = true;
      at++;
    } else {
      const { token, end } = readToken(line, at);
      if (joined) fields.at(-1)!.push(token);
      else fields.push([token]);
      joined = false;
      at = end;
    }
  }
  return fields;
}

function readToken(line: string, start: number): { token: Token; end: number } {
  let text = '';
  let at = start;
  const quoted = line[start] === '"';
  let inQuotes = false;
  for (; at < line.length; at++) {
    const character = line[at] as string;
    if (character === '"') {
      if (inQuotes && line[at + 1] === '"') {
        text += '"';
        at++;
      } else {
        inQuotes = !inQuotes;
      }
    } else if (!inQuotes && /[\s,#]/.test(character)) {
      break;
    } else {
      text += character;
    }
  }
  if (inQuotes) throw new Wrong('a quoted name has no end');
  return { token: { text, quoted }, end: at };
}

function readRule(fields: readonly Field[], line: number): HbaRuleConfig | null {
  const type = single(fields[0], 'the type');
  if (type === 'local') {
    if (fields.length < 4) throw new Wrong('a local entry has database, user and method');
    return null;
  }
  const encryption = TYPES[type];
  if (encryption === undefined) {
    if (UNAVAILABLE.has(type)) throw new Wrong(`"${type}" ${NOT_AVAILABLE}`);
    throw new Wrong(`"${type}" is no type; there are host, hostssl, hostnossl and local`);
  }
  const [, databases, users, address, ...rest] = fields;
  if (databases === undefined || users === undefined || address === undefined) {
    throw new Wrong('an entry has type, database, user, address and method');
  }
  const { addresses, used } = readAddress(address, rest[0]);
  const [methodField, ...options] = rest.slice(used);
  const method = readMethod(single(methodField, 'the method'));
  if (options.length > 0) {
    throw new Wrong(`the option "${options[0]![0]!.text}" ${NOT_AVAILABLE}`);
  }
  return {
    line,
    encryption,
    databases: databases.map((token) => readName(token, true)),
    users: users.map((token) => readName(token, false)),
    addresses,
    method,
  };
}

function readName({ text, quoted }: Token, database: boolean): HbaNameConfig {
  if (!quoted) {
    if (text === 'all') return { text, keyword: 'all' };
    if (database && (text === 'sameuser' || text === 'replication')) return { text, keyword: text };
    if (database && (text === 'samerole' || text === 'samegroup')) {
      throw new Wrong(`"${text}" ${NOT_AVAILABLE}: memberships are not known here`);
    }
    if (text.startsWith('+')) {
      throw new Wrong(`"${text}" ${NOT_AVAILABLE}: memberships are not known here`);
    }
    if (text.startsWith('@')) throw new Wrong(`"${text}": names from a file ${NOT_AVAILABLE}`);
    if (text.startsWith('/')) throw new Wrong(`"${text}": a pattern ${NOT_AVAILABLE}`);
  }
  return { text, keyword: null };
}

/** `used` counts the fields behind the address that belong to it: a mask. */
function readAddress(
  field: Field,
  next: Field | undefined,
): { addresses: HbaRuleConfig['addresses']; used: number } {
  const text = single(field, 'the address');
  if (text === 'all' || text === 'samehost' || text === 'samenet')
    return { addresses: text, used: 0 };
  const mask = next?.[0]?.text ?? '';
  if (!text.includes('/') && isNetwork(text) && isNetwork(mask) && !mask.includes('/')) {
    return { addresses: [`${text}/${maskBits(text, mask)}`], used: 1 };
  }
  if (!isNetwork(text)) {
    throw new Wrong(`"${text}" is not a network; host names are not looked up here`);
  }
  if (!text.includes('/')) throw new Wrong(`"${text}" needs a mask: /32, /128 or one behind it`);
  return { addresses: [text], used: 0 };
}

/** How many leading bits a mask has; one with holes is refused. */
function maskBits(address: string, mask: string): number {
  if (address.includes(':') !== mask.includes(':')) {
    throw new Wrong(`the mask "${mask}" is not of the address's family`);
  }
  const bits = mask.includes(':') ? bitsOfIpv6(mask) : bitsOfIpv4(mask);
  if (!/^1*0*$/.test(bits)) throw new Wrong(`the mask "${mask}" has holes`);
  return bits.replaceAll('0', '').length;
}

function bitsOfIpv4(mask: string): string {
  return mask
    .split('.')
    .map((part) => Number(part).toString(2).padStart(8, '0'))
    .join('');
}

function bitsOfIpv6(mask: string): string {
  const [head = '', tail] = mask.split('::');
  const groups = (text: string): string[] => (text === '' ? [] : text.split(':'));
  const before = groups(head);
  const after = groups(tail ?? '');
  const zeros = Array.from({ length: 8 - before.length - after.length }, () => '0');
  return [...before, ...zeros, ...after]
    .map((group) => Number.parseInt(group, 16).toString(2).padStart(16, '0'))
    .join('');
}

function readMethod(text: string): HbaRuleConfig['method'] {
  const method = METHODS.find((known) => known === text);
  if (method !== undefined) return method;
  if (UNAVAILABLE.has(text)) throw new Wrong(`the method "${text}" ${NOT_AVAILABLE}`);
  throw new Wrong(`"${text}" is no method; there are ${METHODS.join(', ')}`);
}

function single(field: Field | undefined, what: string): string {
  if (field === undefined) throw new Wrong(`${what} is missing`);
  if (field.length > 1) throw new Wrong(`${what} cannot be a list`);
  return field[0]!.text;
}
