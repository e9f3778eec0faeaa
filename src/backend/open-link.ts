/**
 * Brings a link to a server to the point where the startup packet may be sent: connected, and
 * encrypted as the server's `tls.mode` asks.
 *
 *     disable  plain                          require      TLS or nothing
 *     allow    plain; TLS if that is refused  verify-ca    TLS, signed by a CA we know
 *     prefer   TLS if the server has it       verify-full  and bearing the host's name
 *
 * (`allow`'s second attempt is the login's business: only it sees the refusal.)
 */
import type { ServerConfig } from '../config/snapshot.ts';
import { dial } from '../net/dial.ts';
import type { Link, LinkHandler } from '../net/link.ts';
import { connectTls } from '../net/tls.ts';
import type { Clock, Timer } from '../util/clock.ts';
import { encodeSslRequest } from '../wire/startup.ts';
import { Writer } from '../wire/writer.ts';

export interface OpenLinkHandler extends LinkHandler {
  /** Set as soon as there is a link, so that the handler can close it. */
  link: Link | null;
  /** The startup packet or cancel request may be sent. */
  opened(link: Link): void;
}

const SSL_ACCEPTED = 0x53; // S
const SSL_DECLINED = 0x4e; // N

/** The handler hears `opened`, or `onClose` with the reason; after `timeoutMs` at the latest. */
export function openLink(
  server: ServerConfig,
  timeoutMs: number,
  clock: Clock,
  handler: OpenLinkHandler,
  mode: ServerConfig['tls']['mode'] = server.tls.mode,
): void {
  const wantsTls = mode !== 'disable' && mode !== 'allow' && !server.host.startsWith('/');
  const opening = new Opening(server, mode, handler);
  const link = dial(server, opening, () => {
    if (wantsTls) opening.askForTls(link);
    else opening.finish(link);
  });
  handler.link = link;
  opening.timer = clock.after(timeoutMs, () => opening.expire(link));
}

class Opening implements LinkHandler {
  timer: Timer | null = null;
  readonly #server: ServerConfig;
  readonly #mode: ServerConfig['tls']['mode'];
  readonly #handler: OpenLinkHandler;
  #failure: Error | null = null;
  #link: Link | null = null;

  constructor(server: ServerConfig, mode: ServerConfig['tls']['mode'], handler: OpenLinkHandler) {
    this.#server = server;
    this.#mode = mode;
    this.#handler = handler;
  }

  askForTls(link: Link): void {
    this.#link = link;
    const writer = new Writer(16);
    encodeSslRequest(writer);
    link.writeAll(writer.take());
    link.flush();
  }

  onData(chunk: Buffer): void {
    const link = this.#link;
    if (link === null) return;
    // Bytes behind the answer would be taken for the server's own once TLS is on (CVE-2021-23222).
    if (chunk.length !== 1) {
      this.fail(link, 'it sent more than an answer to SSLRequest');
      return;
    }
    if (chunk[0] === SSL_DECLINED) {
      if (this.#mode === 'prefer') this.finish(link);
      else this.fail(link, `it does not offer TLS, and tls.mode is ${this.#mode}`);
      return;
    }
    if (chunk[0] !== SSL_ACCEPTED) {
      this.fail(link, 'it answered SSLRequest with nonsense');
      return;
    }
    const { ca, cert, key } = this.#server.tls;
    connectTls(
      link,
      { verify: verification(this.#mode), host: this.#server.host, ca, cert, key },
      (error) => {
        if (error === null) this.finish(link);
        else this.fail(link, `TLS: ${error.message}`);
      },
    );
  }

  finish(link: Link): void {
    if (link.closed || this.#failure !== null) return;
    this.timer?.cancel();
    link.handler = this.#handler;
    this.#handler.opened(link);
  }

  fail(link: Link, reason: string): void {
    this.#failure ??= new Error(reason);
    link.destroy();
  }

  expire(link: Link): void {
    this.fail(link, 'it took too long to connect');
  }

  onDrain(): void {}

  onEnd(): void {
    this.#link?.destroy();
  }

  onClose(error: Error | null): void {
    this.timer?.cancel();
    this.#handler.onClose(this.#failure ?? error ?? new Error('it closed the connection'));
  }
}

function verification(mode: ServerConfig['tls']['mode']): 'none' | 'ca' | 'full' {
  if (mode === 'verify-full') return 'full';
  return mode === 'verify-ca' ? 'ca' : 'none';
}
