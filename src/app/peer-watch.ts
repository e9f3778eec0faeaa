/**
 * Ends connections whose other side has vanished without a word (a host that lost power, a firewall
 * that forgot the connection) while something was on its way to it: `limits.tcp_user_timeout`.
 *
 * Looked at are only those that hold somebody else up: servers that owe an answer and have said
 * nothing since the last look, and clients that do not take what a server has for them. When there
 * are none, which is nearly always, a look costs a walk over the leases.
 */
import { endpointsKey } from '../net/tcp-table.ts';
import type { Link } from '../net/link.ts';
import type { Door } from '../session/door.ts';
import type { Log } from '../telemetry/logger.ts';
import type { Clock, Timer } from '../util/clock.ts';

const LOOK_EVERY_MS = 5_000;

export interface PeerWatchOptions {
  readonly clock: Clock;
  readonly log: Log;
  readonly door: Door;
  /** The connections that send in vain, by `endpointsKey`. */
  readonly read: () => Promise<ReadonlySet<string>>;
}

interface Suspect {
  readonly link: Link;
  readonly bytesRead: number;
  /** Since when it has been sending in vain; null when it does not. */
  sinceMs: number | null;
  readonly end: (reason: string) => void;
}

export class PeerWatch {
  readonly #options: PeerWatchOptions;
  readonly #timer: Timer;
  #suspects = new Map<Link, Suspect>();
  #looking = false;

  constructor(options: PeerWatchOptions) {
    this.#options = options;
    this.#timer = options.clock.every(LOOK_EVERY_MS, () => void this.look());
  }

  stop(): void {
    this.#timer.cancel();
  }

  /** Resolves when whoever is beyond hope has been ended. */
  async look(): Promise<void> {
    const limitMs = this.#options.door.limits.tcpUserTimeoutMs;
    if (limitMs === 0 || this.#looking) return;
    this.#looking = true;
    const before = this.#suspects;
    this.#suspects = new Map([...this.#findSuspects()].map((suspect) => [suspect.link, suspect]));
    const silent = [...this.#suspects.values()].filter(
      ({ link, bytesRead }) => before.get(link)?.bytesRead === bytesRead,
    );
    if (silent.length > 0) {
      const inVain = await this.#options.read();
      for (const suspect of silent) this.#judge(suspect, before.get(suspect.link), inVain, limitMs);
    }
    this.#looking = false;
  }

  #judge(
    suspect: Suspect,
    before: Suspect | undefined,
    inVain: ReadonlySet<string>,
    limitMs: number,
  ): void {
    const { localPort, remotePort, remoteAddress } = suspect.link.socket;
    if (localPort === undefined || remotePort === undefined || remoteAddress === undefined) return;
    if (!inVain.has(endpointsKey({ localPort, remotePort, remoteAddress }))) return;
    const nowMs = this.#options.clock.nowMs();
    suspect.sinceMs = before?.sinceMs ?? nowMs;
    if (nowMs - suspect.sinceMs < limitMs) return;
    const reason = 'it does not acknowledge what it is sent';
    this.#options.log.warn('peer is silent', { peer: remoteAddress, port: remotePort, reason });
    suspect.end(reason);
  }

  *#findSuspects(): IterableIterator<Suspect> {
    const { door } = this.#options;
    for (const pool of door.pools) {
      for (const list of [pool.leased, pool.checking, pool.cleaning]) {
        for (const server of list) {
          const { link } = server;
          if (link === null || server.queue.length === 0) continue;
          const end = (reason: string): void => server.destroy(reason);
          yield { link, bytesRead: link.bytesRead, sinceMs: null, end };
        }
      }
    }
    for (const service of door.services.all) {
      for (const session of service.active) {
        const { link } = session;
        if (!link.full) continue;
        const end = (reason: string): void => session.close(reason, true);
        yield { link, bytesRead: link.bytesRead, sinceMs: null, end };
      }
    }
  }
}
