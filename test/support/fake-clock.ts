/**
 * Time that passes when a test says so. Timers fire in the order they are due, each at its own
 * moment, also those that are set by others firing on the way.
 */
import type { Clock, Timer } from '../../src/util/clock.ts';

interface FakeTimer {
  dueMs: number;
  /** 0 fires once. */
  readonly periodMs: number;
  readonly callback: () => void;
}

/** 2026-01-01T00:00:00Z, so that dates in expected output are easy to read. */
const START_WALL_MS = Date.UTC(2026, 0, 1);

export class FakeClock implements Clock {
  readonly #timers = new Set<FakeTimer>();
  #nowMs = 0;

  nowMs(): number {
    return this.#nowMs;
  }

  wallMs(): number {
    return START_WALL_MS + this.#nowMs;
  }

  after(delayMs: number, callback: () => void): Timer {
    return this.#add({ dueMs: this.#nowMs + Math.max(0, delayMs), periodMs: 0, callback });
  }

  every(periodMs: number, callback: () => void): Timer {
    // A period of zero would never let `advance` come to an end.
    const atLeast = Math.max(1, periodMs);
    return this.#add({ dueMs: this.#nowMs + atLeast, periodMs: atLeast, callback });
  }

  /** Timers that have neither fired for good nor been cancelled. */
  get pending(): number {
    return this.#timers.size;
  }

  /** Lets `ms` pass and fires what becomes due. */
  advance(ms: number): void {
    const untilMs = this.#nowMs + ms;
    for (;;) {
      const timer = this.#nextDue(untilMs);
      if (timer === null) break;
      this.#nowMs = Math.max(this.#nowMs, timer.dueMs);
      if (timer.periodMs === 0) this.#timers.delete(timer);
      else timer.dueMs += timer.periodMs;
      timer.callback();
    }
    this.#nowMs = untilMs;
  }

  /** Lets `ms` pass as a blocked event loop does: periodic timers fire once, and late. */
  block(ms: number): void {
    this.#nowMs += ms;
    for (const timer of [...this.#timers]) {
      if (timer.dueMs > this.#nowMs || !this.#timers.has(timer)) continue;
      if (timer.periodMs === 0) this.#timers.delete(timer);
      else timer.dueMs = this.#nowMs + timer.periodMs;
      timer.callback();
    }
  }

  #add(timer: FakeTimer): Timer {
    this.#timers.add(timer);
    return { cancel: () => void this.#timers.delete(timer) };
  }

  #nextDue(untilMs: number): FakeTimer | null {
    let next: FakeTimer | null = null;
    for (const timer of this.#timers) {
      if (timer.dueMs <= untilMs && (next === null || timer.dueMs < next.dueMs)) next = timer;
    }
    return next;
  }
}
