/**
 * What a single value of the configuration can be. A `ValueType` is everything the project knows
 * about one form of value: how its text is read, what to say when it cannot be, and how an editor
 * recognises it. Validation, the reference and the JSON Schema all come from here, so that the
 * three cannot disagree.
 *
 * Types read the text as it is written in the file, quotes removed, rather than what YAML makes of
 * it: a password `0123` keeps its zero, and a value that came in through `${ENV}` is read by the
 * same code as one that was written out.
 */

/** A piece of JSON Schema. Only the keywords of draft-07 that editors understand are used. */
export type JsonSchema = { readonly [keyword: string]: unknown };

/** Where a text may come from besides the file: nowhere, `file:`, a PEM file, any other file. */
export type Source = 'text' | 'secret' | 'pem' | 'file';

export interface ValueType<T> {
  /** With its article, to stand after "is not": `a duration`. */
  readonly name: string;
  /** What may be written, for people. */
  readonly form: string;
  /** A value that is always valid. */
  readonly example: string;
  readonly source: Source;
  /**
   * Throws `WrongValue`. Gets the text with `${ENV}` and `file:` already replaced, and of a `file`
   * also its path.
   */
  readonly parse: (text: string, path?: string) => T;
  readonly json: JsonSchema;
}

/**
 * A text that is not of the type. The message says why in a few words and never repeats the text,
 * which may be a secret; null leaves it at "is not a …".
 */
export class WrongValue extends Error {
  override readonly name = 'WrongValue';
  /** The value is meaningful, but of a feature that is not in this version. */
  readonly notAvailable: boolean;

  constructor(reason: string, notAvailable = false) {
    super(reason);
    this.notAvailable = notAvailable;
  }
}
