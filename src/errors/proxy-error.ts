/**
 * An expected refusal: a row of the catalog with its blanks filled in, ready to be encoded as an
 * ErrorResponse. Not for a broken peer (`ProtocolViolation`) and not for a broken program
 * (`assert`).
 *
 * Everything in a `ProxyError` but `stack` is sent to the client. What only the operator may know
 * (addresses, other services, a server's reason for refusing a login) goes to the log beside it.
 */
import type { CatalogRow, ErrorCode, Fault, Severity } from './catalog.ts';
import { catalog } from './catalog.ts';
import { ProtocolViolation } from './protocol-violation.ts';

/** Names arrive from clients; what is echoed back is bounded, as Postgres bounds identifiers. */
const VALUE_CHARS_MAX = 256;

type Blanks<Text extends string> = Text extends `${string}{${infer Name}}${infer Rest}`
  ? Name | Blanks<Rest>
  : never;

type Row<Code extends ErrorCode> = (typeof catalog)[Code];

type BlanksOf<Code extends ErrorCode> =
  | Blanks<Row<Code>['message']>
  | (Row<Code>['hint'] extends infer Hint extends string ? Blanks<Hint> : never);

type ValuesFor<Code extends ErrorCode> = [BlanksOf<Code>] extends [never]
  ? { readonly values?: undefined }
  : { readonly values: Readonly<Record<BlanksOf<Code>, string | number>> };

interface Extras {
  /** The numbers: limit, measured value. */
  readonly detail?: string;
  /** Replaces the row's hint where the caller knows better what would pass. */
  readonly hint?: string;
  /** The policy that refused, sent as the constraint name. */
  readonly policy?: string;
  /** Only for retryable rows: when trying again makes sense, appended to the detail. */
  readonly retryAfterMs?: number;
  /** Replaces the row's severity: what ends a statement later on ends the connection at login. */
  readonly severity?: Severity;
}

type Arguments<Code extends ErrorCode> = [BlanksOf<Code>] extends [never]
  ? [options?: Extras & ValuesFor<Code>]
  : [options: Extras & ValuesFor<Code>];

export class ProxyError extends Error {
  override readonly name = 'ProxyError';
  readonly code: ErrorCode;
  readonly sqlstate: string;
  readonly severity: Severity;
  readonly fault: Fault;
  readonly detail: string | null;
  readonly hint: string | null;
  readonly policy: string | null;
  readonly retryable: boolean;

  /** `refuse` is how to make one; it knows which values a code needs. */
  constructor(code: ErrorCode, values: Readonly<Record<string, unknown>>, extras: Extras) {
    const row: CatalogRow = catalog[code];
    super(fillIn(row.message, values));
    this.code = code;
    this.sqlstate = row.sqlstate;
    this.severity = extras.severity ?? row.severity;
    this.fault = row.fault;
    this.detail = detailText(row, extras);
    this.hint = extras.hint ?? (row.hint === null ? null : fillIn(row.hint, values));
    this.policy = extras.policy ?? null;
    this.retryable = row.retryable;
  }
}

/** Makes the error; the caller decides whether it is thrown or answered. */
export function refuse<Code extends ErrorCode>(
  code: Code,
  ...[options]: Arguments<Code>
): ProxyError {
  const extras: Extras = options ?? {};
  return new ProxyError(code, options?.values ?? {}, extras);
}

/** Whatever was thrown, as something a client may see. Defects keep their words to themselves. */
export function asProxyError(thrown: unknown): ProxyError {
  if (thrown instanceof ProxyError) return thrown;
  if (thrown instanceof ProtocolViolation) {
    return refuse('protocol_violation', { values: { problem: thrown.message } });
  }
  return refuse('internal');
}

function detailText(row: CatalogRow, extras: Extras): string | null {
  const detail = extras.detail ?? null;
  if (!row.retryable || extras.retryAfterMs === undefined) return detail;
  const retryAfter = `retry_after_ms=${Math.max(0, Math.ceil(extras.retryAfterMs))}`;
  return detail === null ? retryAfter : `${detail} ${retryAfter}`;
}

function fillIn(text: string, values: Readonly<Record<string, unknown>>): string {
  if (!text.includes('{')) return text;
  return text.replaceAll(/\{(\w+)\}/g, (blank, name: string) => {
    const value = values[name];
    return value === undefined ? blank : printable(String(value));
  });
}

/** Strings end at a zero byte on the wire, and a log line ends at a newline. */
function printable(value: string): string {
  // biome-ignore lint/suspicious/noControlCharactersInRegex: control characters are the point.
  return value.slice(0, VALUE_CHARS_MAX).replaceAll(/[\x00-\x1f\x7f]/g, ' ');
}
