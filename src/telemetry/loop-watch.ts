/**
 * Watches whether the event loop turns. One tick a second measures the gap since the tick before;
 * a process whose last gap was half a minute is answering nobody and should be replaced.
 *
 * While the loop stands still the health check cannot be answered at all, which every prober takes
 * as a failure; this is for the loop that still turns now and then.
 */
import type { Clock, Timer } from '../util/clock.ts';

const TICK_MS = 1_000;
const STUCK_MS = 30_000;

export class LoopWatch {
  readonly #clock: Clock;
  readonly #ticks: Timer;
  #lastTickMs: number;
  #gapMs = 0;

  constructor(clock: Clock) {
    this.#clock = clock;
    this.#lastTickMs = clock.nowMs();
    this.#ticks = clock.every(TICK_MS, () => this.#tick());
  }

  /** Null, or what is wrong. */
  trouble(): string | null {
    const gapMs = Math.max(this.#gapMs, this.#clock.nowMs() - this.#lastTickMs);
    return gapMs < STUCK_MS ? null : `the event loop stood still for ${Math.round(gapMs)} ms`;
  }

  stop(): void {
    this.#ticks.cancel();
  }

  #tick(): void {
    const nowMs = this.#clock.nowMs();
    this.#gapMs = nowMs - this.#lastTickMs;
    this.#lastTickMs = nowMs;
  }
}
