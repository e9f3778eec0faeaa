/**
 * The only clock. Everything that measures or waits takes a `Clock`, so that a test can hold time
 * still. `nowMs` is monotonic: it never jumps when the machine's date is set, and is right for
 * deadlines, waits and durations. `wallMs` is the date, for logs and time windows only.
 */
export interface Clock {
  /** Monotonic milliseconds with fractions; only differences mean anything. */
  nowMs(): number;
  /** Milliseconds since 1970, as the machine's clock has it. */
  wallMs(): number;
  /** Runs `callback` once after `delayMs`. The handle does not keep the process alive. */
  after(delayMs: number, callback: () => void): Timer;
  /** Runs `callback` every `periodMs` until cancelled. Does not keep the process alive. */
  every(periodMs: number, callback: () => void): Timer;
}

export interface Timer {
  cancel(): void;
}

/** Keeps the process alive while it has nothing open but has not finished; `cancel` lets it go. */
export function holdProcess(): Timer {
  const handle = setInterval(() => {}, 60_000);
  return { cancel: () => clearInterval(handle) };
}

export const systemClock: Clock = {
  nowMs: () => performance.now(),
  wallMs: () => Date.now(),
  after(delayMs, callback) {
    const handle = setTimeout(callback, delayMs);
    handle.unref();
    return { cancel: () => clearTimeout(handle) };
  },
  every(periodMs, callback) {
    const handle = setInterval(callback, periodMs);
    handle.unref();
    return { cancel: () => clearInterval(handle) };
  },
};
