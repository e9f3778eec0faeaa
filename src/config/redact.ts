/**
 * A configuration as it may be shown: in the log at start, by `sluice check`, in the console. What
 * is secret is told by its name and by its looks, both, and anywhere in the tree, so that a field
 * which is added to the snapshot later cannot be forgotten here. A test loads a configuration with
 * a marked secret in every secret key of the table and looks for the marks.
 */
import type { Config } from './snapshot.ts';

const SECRET_NAMES: ReadonlySet<string> = new Set(['passwords', 'password', 'token', 'key']);

export const REDACTED = '(secret)';
const PEM = '(PEM)';

/** Plain objects, arrays and values only, fit for JSON. */
export function redacted(config: Config): { readonly [key: string]: unknown } {
  return shown('', config) as { readonly [key: string]: unknown };
}

function shown(name: string, value: unknown): unknown {
  if (value === null) return null;
  if (SECRET_NAMES.has(name)) {
    return Array.isArray(value) ? value.map(() => REDACTED) : REDACTED;
  }
  if (typeof value === 'string') return value.includes('-----BEGIN') ? PEM : value;
  if (typeof value !== 'object') return value;
  if (Array.isArray(value)) return value.map((item) => shown('', item));
  const entries = value instanceof Map ? [...value] : Object.entries(value);
  // The keys of a map are names of users and the like: a user may be called "password".
  const isMap = value instanceof Map;
  return Object.fromEntries(entries.map(([key, item]) => [key, shown(isMap ? '' : key, item)]));
}
