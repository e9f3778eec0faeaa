/**
 * The settings a session asked for, as values that can be compared by identity: one frozen object
 * per distinct set, shared by every session and server that has it. A server that carries the
 * session's object needs nothing before a statement; otherwise `settingsSql` says what to run.
 *
 * Only what a client gave in its startup packet, and changes of settings that Postgres reports by
 * ParameterStatus, are followed here. Reported values are the server's own spelling of them.
 */

/** Settings every supported version reports, so that a change is never missed (lower-case). */
export const REPORTED_SETTINGS: ReadonlySet<string> = new Set([
  'application_name',
  'client_encoding',
  'datestyle',
  'intervalstyle',
  'standard_conforming_strings',
  'timezone',
]);

export class SessionSettings {
  /** By lower-case name. */
  readonly values: ReadonlyMap<string, string>;
  /** Equal for equal sets; the key under which the set is interned. */
  readonly key: string;

  constructor(values: ReadonlyMap<string, string>, key: string) {
    this.values = values;
    this.key = key;
  }
}

/** Interned sets kept at most; the oldest is forgotten, which costs a needless SET and no more. */
const INTERNED_MAX = 10_000;

const interned = new Map<string, SessionSettings>();

export function internSettings(values: ReadonlyMap<string, string>): SessionSettings {
  const key = [...values]
    .sort(([a], [b]) => (a < b ? -1 : 1))
    .map(([name, value]) => `${name}=${value}`)
    .join('\0');
  const known = interned.get(key);
  if (known !== undefined) return known;
  const settings = new SessionSettings(new Map(values), key);
  if (interned.size >= INTERNED_MAX) {
    interned.delete(interned.keys().next().value as string);
  }
  interned.set(key, settings);
  return settings;
}

/** What a server has that nobody has asked anything of. */
export const NO_SETTINGS: SessionSettings = internSettings(new Map());

/**
 * The set with one value changed; the same object when it already says so. Null is what a server
 * has by itself, so that a client that sets a default asks for no more than one that sets nothing.
 */
export function withSetting(
  settings: SessionSettings,
  name: string,
  value: string | null,
): SessionSettings {
  if ((settings.values.get(name) ?? null) === value) return settings;
  const values = new Map(settings.values);
  if (value === null) values.delete(name);
  else values.set(name, value);
  return internSettings(values);
}

/**
 * One query string that turns a server with `from` into one with `to`; empty when they agree. With
 * `all`, some of `from` may have gone back to their defaults, so nothing of it is relied on.
 * `set_config` takes a value as the startup packet does; `SET search_path = 'a, b'` would not.
 */
export function settingsSql(from: SessionSettings, to: SessionSettings, all = false): string {
  let sql = '';
  for (const name of from.values.keys()) {
    if (!to.values.has(name)) sql += `RESET ${quoteIdentifier(name)};`;
  }
  const calls: string[] = [];
  for (const [name, value] of to.values) {
    if (all || from.values.get(name) !== value) {
      calls.push(`pg_catalog.set_config(${quoteLiteral(name)}, ${quoteLiteral(value)}, false)`);
    }
  }
  return calls.length === 0 ? sql : `${sql}SELECT ${calls.join(', ')}`;
}

/** A setting's name may have dots (`my.setting`); each part is quoted by itself. */
function quoteIdentifier(name: string): string {
  return name
    .split('.')
    .map((part) => `"${part.replaceAll('"', '""')}"`)
    .join('.');
}

/** Correct whatever standard_conforming_strings says. */
function quoteLiteral(value: string): string {
  const escaped = value.replaceAll("'", "''");
  return escaped.includes('\\') ? ` E'${escaped.replaceAll('\\', '\\\\')}'` : `'${escaped}'`;
}
