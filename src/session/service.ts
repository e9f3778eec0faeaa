/**
 * One service at run time: its configuration, its clients by phase, and its counters. It outlives
 * reloads: whoever looks at `config` sees what is in effect now.
 */
import type { ServiceConfig } from '../config/snapshot.ts';
import type { ServiceMeters } from '../telemetry/meters.ts';
import { IntrusiveList } from '../util/intrusive-list.ts';
import type { Session } from './session.ts';

export class Service {
  config: ServiceConfig;
  readonly meters: ServiceMeters;
  readonly idle = new IntrusiveList<Session>('idle');
  readonly open = new IntrusiveList<Session>('open');
  readonly active = new IntrusiveList<Session>('active');
  /** All its clients, those that wait or are about to be welcomed included. */
  clients = 0;

  constructor(config: ServiceConfig, meters: ServiceMeters) {
    this.config = config;
    this.meters = meters;
  }

  get name(): string {
    return this.config.name;
  }
}
