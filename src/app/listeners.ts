/**
 * The ports clients come in by. A reload opens what is new and makes every TLS context before it
 * changes anything; a listener that stays keeps its socket, so that not one client in the queue of
 * the kernel is lost, and shows new clients the new certificate.
 */
import type { ListenConfig } from '../config/snapshot.ts';
import type { Link } from '../net/link.ts';
import { type AcceptedPeer, Listener } from '../net/listener.ts';
import { type ServerTlsContext, serverTlsContext } from '../net/tls.ts';
import type { Log } from '../telemetry/logger.ts';

/** What a client is told of the port it came in by. */
export interface Entrance {
  readonly config: ListenConfig;
  readonly tls: ServerTlsContext | null;
}

export type AcceptAt = (link: Link, peer: AcceptedPeer, entrance: Entrance) => void;

/** Ready, and not yet in effect. One of the two is called, once. */
export interface ListenersChange {
  commit(): void;
  abort(): void;
}

interface Port {
  readonly listener: Listener;
  entrance: Entrance;
  /** Clients that came before the configuration they came for was in effect; null once it is. */
  early: { readonly link: Link; readonly peer: AcceptedPeer }[] | null;
}

export class Listeners {
  readonly #accept: AcceptAt;
  readonly #log: Log;
  #ports: readonly Port[] = [];

  constructor(accept: AcceptAt, log: Log) {
    this.#accept = accept;
    this.#log = log;
  }

  /** `host:port`, with the port in use where the configuration lets the system choose. */
  get addresses(): readonly string[] {
    return this.#ports.map(({ listener, entrance }) => `${entrance.config.host}:${listener.port}`);
  }

  /** The port of the first listener; 0 when there is none. */
  get port(): number {
    return this.#ports[0]?.listener.port ?? 0;
  }

  /** Rejects, with nothing changed and nothing left open, when a port cannot be had. */
  async prepare(configs: readonly ListenConfig[]): Promise<ListenersChange> {
    const leaving = new Set(this.#ports);
    const opened: Port[] = [];
    const planned: { readonly port: Port; readonly entrance: Entrance }[] = [];
    const abort = (): void => {
      for (const { listener, early } of opened) {
        listener.close();
        for (const { link } of early ?? []) link.destroy();
      }
    };
    try {
      for (const config of configs) {
        const entrance = { config, tls: tlsContext(config) };
        let port = [...leaving].find((each) => isSamePort(each.entrance.config, config));
        if (port === undefined) {
          port = this.#make(entrance);
          opened.push(port);
          await open(port);
        } else {
          leaving.delete(port);
        }
        planned.push({ port, entrance });
      }
    } catch (error) {
      abort();
      throw error;
    }
    return { abort, commit: () => this.#commit(planned, leaving) };
  }

  /** Nobody gets in any more; who is in stays. Harmless when repeated. */
  close(): void {
    for (const { listener } of this.#ports) listener.close();
  }

  #commit(
    planned: readonly { readonly port: Port; readonly entrance: Entrance }[],
    leaving: Iterable<Port>,
  ): void {
    for (const { listener } of leaving) listener.close();
    this.#ports = planned.map(({ port, entrance }) => {
      port.entrance = entrance;
      return port;
    });
    for (const port of this.#ports) {
      const { early } = port;
      port.early = null;
      for (const { link, peer } of early ?? []) this.#accept(link, peer, port.entrance);
    }
  }

  #make(entrance: Entrance): Port {
    const { host, port: number, reusePort, name } = entrance.config;
    const port: Port = {
      listener: new Listener({
        host,
        port: number,
        reusePort,
        accept: (link, peer) => {
          if (port.early === null) this.#accept(link, peer, port.entrance);
          else port.early.push({ link, peer });
        },
        onError: (error) => this.#log.error('listener failed', { listener: name, error }),
      }),
      entrance,
      early: [],
    };
    return port;
  }
}

async function open(port: Port): Promise<void> {
  try {
    await port.listener.open();
  } catch (error) {
    throw new Error(`cannot listen on ${port.entrance.config.name}: ${(error as Error).message}`, {
      cause: error,
    });
  }
}

function isSamePort(one: ListenConfig, other: ListenConfig): boolean {
  return one.name === other.name && one.reusePort === other.reusePort;
}

function tlsContext(config: ListenConfig): ServerTlsContext | null {
  const { mode, cert, key, clientCa } = config.tls;
  if (mode === 'disable' || cert === null || key === null) return null;
  return serverTlsContext(cert, key, clientCa);
}
