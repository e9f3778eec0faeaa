/**
 * Statements by their exact text. Applications send the same few hundred texts over and over, so
 * almost every lookup is a hit, and a hit costs little more than the text's hash. The text itself
 * is the key, because V8 hashes it with a seed of the process: a hash of our own could be collided
 * on purpose, and the facts of one statement would be taken for those of another.
 *
 * `lru-cache` was weighed against two generations of plain Maps and against one Map reordered by
 * delete and set. Hits on 170-character texts, decoded afresh each time: 0.32, 0.30 and 0.37 µs for
 * 500 texts; 0.36, 0.42 and 0.44 µs for 3,000. Most of it is the hash, which all of them pay, so
 * the one that evicts exactly and counts bytes is used.
 *
 * The same text means something else when standard_conforming_strings is off, so there is one cache
 * for either setting; the second is made when somebody needs it.
 *
 * Budget: no allocation on a hit. Bench: bench/micro/lexer.bench.ts.
 */
import { LRUCache } from 'lru-cache';
import { CACHED_TEXT_LENGTH_MAX } from './limits.ts';
import { analyse, type Statement } from './statement.ts';

export interface StatementCacheLimits {
  /** Statements kept. */
  readonly entriesMax: number;
  /** Memory they may hold, texts and all, by a rough count. */
  readonly bytesMax: number;
}

export const DEFAULT_CACHE_LIMITS: StatementCacheLimits = {
  entriesMax: 10_000,
  bytesMax: 32 * 1024 * 1024,
};

/** A Statement, its list of kinds and its place in the cache, besides the text (heap snapshot). */
const ENTRY_BYTES = 400;

type Cache = LRUCache<string, Statement>;

export class StatementCache {
  /** Lookups answered from the cache, and those that had to read the text. Read by metrics. */
  hits = 0;
  misses = 0;
  readonly limits: StatementCacheLimits;
  readonly #standard: Cache;
  #backslashes: Cache | null = null;

  constructor(limits: StatementCacheLimits = DEFAULT_CACHE_LIMITS) {
    this.limits = limits;
    this.#standard = createCache(limits);
  }

  /** Statements kept, for either setting together. */
  get size(): number {
    return this.#standard.size + (this.#backslashes?.size ?? 0);
  }

  /** Bytes they hold, roughly. */
  get bytes(): number {
    return this.#standard.calculatedSize + (this.#backslashes?.calculatedSize ?? 0);
  }

  /**
   * What is known about this text, for a session with this `standard_conforming_strings`. A session
   * whose encoding is not lexable must not ask; its statements are `UNLEXABLE_STATEMENT`.
   */
  lookup(text: string, standardConformingStrings: boolean): Statement {
    const cache = standardConformingStrings ? this.#standard : this.#backslashCache();
    const known = cache.get(text);
    if (known !== undefined) {
      this.hits++;
      return known;
    }
    this.misses++;
    const statement = analyse(text, standardConformingStrings);
    if (text.length <= CACHED_TEXT_LENGTH_MAX) cache.set(text, statement);
    return statement;
  }

  #backslashCache(): Cache {
    this.#backslashes ??= createCache(this.limits);
    return this.#backslashes;
  }
}

function createCache(limits: StatementCacheLimits): Cache {
  return new LRUCache<string, Statement>({
    max: limits.entriesMax,
    maxSize: limits.bytesMax,
    // A string costs one byte a character, or two when any of them is beyond latin1.
    sizeCalculation: (_statement, text) => ENTRY_BYTES + text.length * 2,
  });
}
