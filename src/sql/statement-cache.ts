/**
 * Statements by their exact text. Applications send the same few hundred texts over and over, so
 * almost every lookup is a hit, and a hit costs little more than the text's hash. The text itself
 * is the key, because V8 hashes it with a seed of the process: a hash of our own could be collided
 * on purpose, and the facts of one statement would be taken for those of another.
 *
 * `lru-cache` was weighed against two generations of plain Maps and against one Map reordered by
 * delete and set. A hit on a 170-character text, decoded afresh each time, took 0.34, 0.35 and
 * 0.43 µs among 500 texts, and 0.40, 0.46 and 0.49 µs among 3,000. Most of it is the hash, which
 * all of them pay, so the one that evicts exactly and counts bytes is used.
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

const DEFAULT_LIMITS: StatementCacheLimits = {
  entriesMax: 10_000,
  bytesMax: 32 * 1024 * 1024,
};

/** Measured for a Statement, its list of kinds and its place in the cache, besides the text. */
const ENTRY_BYTES = 450;

/** A power of two; 64 KiB. Two texts that share a place only delay each other's admission. */
const DOOR_PLACES = 16_384;

type Cache = LRUCache<string, Statement>;

export class StatementCache {
  /** Lookups answered from the cache, and those that had to read the text. Read by metrics. */
  hits = 0;
  misses = 0;
  readonly limits: StatementCacheLimits;
  readonly #standard: Cache;
  /** Hashes of texts that were missed lately and not admitted. */
  readonly #door = new Int32Array(DOOR_PLACES);
  #backslashes: Cache | null = null;

  constructor(limits: StatementCacheLimits = DEFAULT_LIMITS) {
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
    if (text.length <= CACHED_TEXT_LENGTH_MAX && this.#admits(cache, text)) {
      cache.set(text, statement);
    }
    return statement;
  }

  /**
   * A full cache takes a text only when it has been missed before: texts with their values spelled
   * out come once and never again, and would push out those that do come again.
   */
  #admits(cache: Cache, text: string): boolean {
    const { entriesMax, bytesMax } = this.limits;
    if (cache.size < entriesMax && cache.calculatedSize + sizeOf(text) <= bytesMax) return true;
    const hash = hashOf(text);
    const place = hash & (DOOR_PLACES - 1);
    if (this.#door[place] === hash) return true;
    this.#door[place] = hash;
    return false;
  }

  #backslashCache(): Cache {
    this.#backslashes ??= createCache(this.limits);
    return this.#backslashes;
  }
}

/**
 * FNV-1a over all of a short text, or every few characters of a long one. Nothing but admission
 * hangs on it: who collides it on purpose gets a text into the cache a lookup earlier.
 */
function hashOf(text: string): number {
  const step = 1 + (text.length >>> 8);
  let hash = 0x811c9dc5 ^ text.length;
  for (let index = 0; index < text.length; index += step) {
    hash = Math.imul(hash ^ text.charCodeAt(index), 0x01000193);
  }
  return hash | 0;
}

function createCache(limits: StatementCacheLimits): Cache {
  return new LRUCache<string, Statement>({
    max: limits.entriesMax,
    maxSize: limits.bytesMax,
    sizeCalculation: (_statement, text) => sizeOf(text),
  });
}

/** A string costs one byte a character, or two when any of them is beyond latin1. */
function sizeOf(text: string): number {
  return ENTRY_BYTES + text.length * 2;
}
