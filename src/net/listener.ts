/** Accepts connections on one address and hands them on as links. */
import net from 'node:net';
import { Link, type LinkHandler } from './link.ts';
import { adopt } from './read-buffer.ts';

const KEEPALIVE_MS = 30_000;
/** Connections the kernel may hold for us while the loop is busy. */
const BACKLOG = 4_096;

export interface AcceptedPeer {
  readonly address: string;
  readonly port: number;
}

export interface ListenerOptions {
  readonly host: string;
  readonly port: number;
  /** Another process may listen on the port as well; the kernel deals connections out to both. */
  readonly reusePort: boolean;
  /** Makes the handler of a new link. It is called before any byte of the link is read. */
  readonly accept: (link: Link, peer: AcceptedPeer) => void;
  readonly onError: (error: Error) => void;
}

export class Listener {
  readonly #server: net.Server;
  readonly #options: ListenerOptions;

  constructor(options: ListenerOptions) {
    this.#options = options;
    this.#server = net.createServer(
      // Half-open, so that a client's FIN is ours to interpret and not Node's to answer.
      {
        pauseOnConnect: true,
        allowHalfOpen: true,
        noDelay: true,
        keepAlive: true,
        keepAliveInitialDelay: KEEPALIVE_MS,
      },
      (socket) => this.#accepted(socket),
    );
  }

  /** The port in use; differs from the configured one when that was 0. */
  get port(): number {
    const address = this.#server.address();
    return typeof address === 'object' && address !== null ? address.port : 0;
  }

  async open(): Promise<void> {
    await new Promise<void>((resolve, reject) => {
      this.#server.once('error', reject);
      this.#server.listen(
        {
          host: this.#options.host,
          port: this.#options.port,
          reusePort: this.#options.reusePort,
          backlog: BACKLOG,
        },
        () => {
          this.#server.off('error', reject);
          this.#server.on('error', this.#options.onError);
          resolve();
        },
      );
    });
  }

  /** Stops accepting at once; links already accepted live on. */
  close(): void {
    this.#server.close();
  }

  #accepted(socket: net.Socket): void {
    const peer = { address: socket.remoteAddress ?? '', port: socket.remotePort ?? 0 };
    const adopted = adopt(socket, (chunk) => void link.take(chunk));
    const link = new Link(adopted ?? socket, UNCLAIMED, adopted !== null);
    this.#options.accept(link, peer);
    link.start();
  }
}

/** A link that nobody has taken yet: `accept` replaces it before control returns. */
const UNCLAIMED: LinkHandler = {
  onData: () => {},
  onDrain: () => {},
  onEnd: () => {},
  onClose: () => {},
};
