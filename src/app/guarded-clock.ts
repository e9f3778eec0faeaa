/**
 * A clock whose callbacks cannot end the process. Sweeps, janitors and deadlines run for everybody
 * at once: when one of them meets a defect, it is written down, and the next one runs.
 */
import type { Log } from '../telemetry/logger.ts';
import type { Clock } from '../util/clock.ts';

export function guardClock(clock: Clock, log: Log): Clock {
  const guarded = (callback: () => void) => (): void => {
    try {
      callback();
    } catch (error) {
      log.error('timer failed', { error });
    }
  };
  return {
    nowMs: () => clock.nowMs(),
    wallMs: () => clock.wallMs(),
    after: (delayMs, callback) => clock.after(delayMs, guarded(callback)),
    every: (periodMs, callback) => clock.every(periodMs, guarded(callback)),
  };
}
