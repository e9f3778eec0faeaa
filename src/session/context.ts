/** What all sessions of the process share. Made once by `app/`; a reload replaces the snapshot. */
import type { PreparedRegistry } from '../backend/prepared.ts';
import type { StatementCache } from '../sql/statement-cache.ts';
import type { Log } from '../telemetry/logger.ts';
import type { ProcessMeters } from '../telemetry/meters.ts';
import type { Clock } from '../util/clock.ts';
import type { CancelRegistry } from './cancel-registry.ts';
import type { Doubts } from './doubts.ts';

export interface SessionContext {
  readonly clock: Clock;
  readonly log: Log;
  readonly meters: ProcessMeters;
  readonly statements: StatementCache;
  readonly prepared: PreparedRegistry;
  readonly cancels: CancelRegistry;
  readonly doubts: Doubts;
  /** The process is stopping: a session closes as soon as it has no transaction open. */
  draining: boolean;
}
