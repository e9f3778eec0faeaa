/**
 * How long to wait before trying again: doubling from `initialMs` to `maxMs`, each time shortened
 * by up to `jitter` of itself, so that what failed together does not come back together.
 */
export interface BackoffOptions {
  readonly initialMs: number;
  readonly maxMs: number;
  /** 0 is none, 1 is anything from zero to the full delay. */
  readonly jitter: number;
  /** From 0 up to 1; a parameter so that a test can say what chance brings. */
  readonly random: () => number;
}

export class Backoff {
  readonly #options: BackoffOptions;
  #failures = 0;

  constructor(options: BackoffOptions) {
    this.#options = options;
  }

  get failures(): number {
    return this.#failures;
  }

  /** Counts a failure and says how long to wait because of it. */
  failed(): number {
    const { initialMs, maxMs, jitter, random } = this.#options;
    const delayMs = Math.min(maxMs, initialMs * 2 ** this.#failures);
    this.#failures++;
    return delayMs * (1 - jitter * random());
  }

  succeeded(): void {
    this.#failures = 0;
  }
}
