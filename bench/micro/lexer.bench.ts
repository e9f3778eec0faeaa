/**
 * What a statement costs: a hit, a miss, and the cache itself against what else was weighed. Run:
 *
 *     node bench/micro/lexer.bench.ts [thousands of lookups per round]
 *
 * Every lookup decodes its text from bytes first, as a session does, because a fresh string has to
 * be hashed again. Prints the best of several rounds; asserts nothing, because machines differ.
 */
import { LRUCache } from 'lru-cache';
import { analyse } from '../../src/sql/statement.ts';
import { StatementCache } from '../../src/sql/statement-cache.ts';

const LOOKUPS = Number(process.argv[2] ?? 200) * 1_000;
const ROUNDS = 10;

/** Kept so that no round is dead code. */
let sink = 0;

function measure(
  name: string,
  texts: readonly Buffer[],
  body: (text: string) => number,
  lookups = LOOKUPS,
): void {
  let bestNs = Number.POSITIVE_INFINITY;
  for (let round = 0; round < ROUNDS; round++) {
    const startNs = process.hrtime.bigint();
    for (let i = 0; i < lookups; i++) {
      // A stride of a prime goes through all texts without being predictable to the caches.
      const text = texts[(i * 7_919) % texts.length] as Buffer;
      sink += body(text.latin1Slice(0, text.length));
    }
    bestNs = Math.min(bestNs, Number(process.hrtime.bigint() - startNs) / lookups);
  }
  console.log(`${name.padEnd(44)} ${bestNs.toFixed(0).padStart(7)} ns`);
}

function texts(count: number, make: (index: number) => string): Buffer[] {
  return Array.from({ length: count }, (_, index) => Buffer.from(make(index)));
}

const short = texts(50, (i) => `SELECT * FROM t${i}`);
const usual = texts(
  500,
  (i) =>
    'SELECT u.id, u.name, u.email, o.total FROM users u JOIN orders o ON o.user_id = u.id ' +
    `WHERE u.id = $1 AND o.created_at > now() - interval '${i} days' ORDER BY 4 DESC LIMIT 20`,
);
const many = texts(3_000, (i) => `${usual[i % usual.length]?.toString()} OFFSET ${i}`);
const heavy = texts(
  20,
  (i) => `INSERT INTO t VALUES ${"(1, 'some text', now(), $1), ".repeat(270)}(${i})`,
);

console.log('one text decoded');
measure('  short (17 characters)', short, (text) => text.length);
measure('  usual (170 characters)', usual, (text) => text.length);

console.log('and read: a miss');
measure('  short', short, (text) => analyse(text, true).count);
measure('  usual', usual, (text) => analyse(text, true).count);
measure('  8 KiB', heavy, (text) => analyse(text, true).count, LOOKUPS / 50);

console.log('and looked up: a hit');
const cache = new StatementCache();
for (const list of [short, usual, many]) {
  for (const text of list) cache.lookup(text.latin1Slice(0, text.length), true);
}
measure('  short', short, (text) => cache.lookup(text, true).count);
measure('  usual, 500 texts', usual, (text) => cache.lookup(text, true).count);
measure('  usual, 3,000 texts', many, (text) => cache.lookup(text, true).count);

/** Hits in the young generation write nothing; a full one becomes the old one. */
class TwoGenerations {
  young = new Map<string, object>();
  old = new Map<string, object>();
  readonly entriesMax: number;

  constructor(entriesMax: number) {
    this.entriesMax = entriesMax;
  }

  get(key: string): object | undefined {
    const young = this.young.get(key);
    if (young !== undefined) return young;
    const old = this.old.get(key);
    if (old !== undefined) this.set(key, old);
    return old;
  }

  set(key: string, value: object): void {
    if (this.young.size >= this.entriesMax) {
      this.old = this.young;
      this.young = new Map();
    }
    this.young.set(key, value);
  }
}

/** A Map in order of use. */
class ReorderedMap {
  readonly map = new Map<string, object>();

  get(key: string): object | undefined {
    const value = this.map.get(key);
    if (value !== undefined) {
      this.map.delete(key);
      this.map.set(key, value);
    }
    return value;
  }

  set(key: string, value: object): void {
    this.map.set(key, value);
  }
}

console.log('caches of the same room (4,096), hits only');
for (const list of [usual, many]) {
  const caches = {
    'lru-cache': new LRUCache<string, object>({ max: 4_096 }),
    'two generations of Maps': new TwoGenerations(2_048),
    'one Map, delete and set': new ReorderedMap(),
  };
  for (const [name, each] of Object.entries(caches)) {
    for (const text of list) each.set(text.latin1Slice(0, text.length), text);
    measure(`  ${name}, ${list.length} texts`, list, (text) => (each.get(text) ? 1 : 0));
  }
}
if (sink === 0) throw new Error('nothing was measured');
