/**
 * Chance that can be repeated. A fuzz test takes its seed from FUZZ_SEED or picks one, and puts it
 * into the test's name, so that a failure says how to have it again.
 */
export class Random {
  readonly seed: number;
  #state: number;

  constructor(seed: number) {
    this.seed = seed;
    this.#state = seed >>> 0;
  }

  /** The next number in [0, below). Mulberry32: small, fast, and good enough to find things. */
  below(below: number): number {
    this.#state = (this.#state + 0x6d2b79f5) >>> 0;
    let mixed = this.#state;
    mixed = Math.imul(mixed ^ (mixed >>> 15), mixed | 1);
    mixed ^= mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61);
    return ((mixed ^ (mixed >>> 14)) >>> 0) % below;
  }

  /** Up to `count` different places in (0, length), ascending. */
  cuts(length: number, count: number): number[] {
    const cuts = new Set<number>();
    for (let i = 0; i < count && length > 1; i++) cuts.add(1 + this.below(length - 1));
    return [...cuts].sort((a, b) => a - b);
  }

  /** A copy of `bytes` with up to `count` of them changed, some to what is likely to matter. */
  mutate(bytes: Buffer, count: number): Buffer {
    const mutated = Buffer.from(bytes);
    for (let i = 0; i < count && mutated.length > 0; i++) {
      const at = this.below(mutated.length);
      mutated[at] = this.below(2) === 0 ? this.below(256) : TELLING[this.below(TELLING.length)]!;
    }
    return mutated;
  }
}

/** Ends of strings, nulls, signs, largest values, and off by one. */
const TELLING = [0, 1, 3, 4, 5, 0x7f, 0x80, 0xfe, 0xff];

export function fuzzSeed(): number {
  const given = process.env['FUZZ_SEED'];
  return given === undefined ? Math.floor(Math.random() * 0x7fffffff) : Number(given);
}
