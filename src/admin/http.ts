/**
 * The HTTP port: `http-answers.ts` behind `node:http`, with limits that keep a stranger on this
 * port from costing the proxy more than a few sockets. It shares the event loop with the traffic,
 * so every limit is small: nothing a prober or a scraper does comes near them.
 */
import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import type { Log } from '../telemetry/logger.ts';
import { answer, failure, type HttpWindows } from './http-answers.ts';

const HEADER_BYTES_MAX = 8_192;
const HEADERS_TIMEOUT_MS = 5_000;
const REQUEST_TIMEOUT_MS = 10_000;
/** Longer than the usual scrape interval would keep sockets for nothing. */
const KEEP_ALIVE_TIMEOUT_MS = 5_000;
const CONNECTIONS_MAX = 64;

export class HttpPort {
  readonly #windows: HttpWindows;
  readonly #log: Log;
  readonly #server: Server;

  constructor(windows: HttpWindows, log: Log) {
    this.#windows = windows;
    this.#log = log;
    this.#server = createServer(
      {
        maxHeaderSize: HEADER_BYTES_MAX,
        headersTimeout: HEADERS_TIMEOUT_MS,
        requestTimeout: REQUEST_TIMEOUT_MS,
        keepAliveTimeout: KEEP_ALIVE_TIMEOUT_MS,
      },
      (request, response) => void this.#serve(request, response),
    );
    this.#server.maxConnections = CONNECTIONS_MAX;
  }

  /** Resolves with the port, which matters when 0 was asked for. Rejects when it is taken. */
  listen(host: string, port: number): Promise<number> {
    const server = this.#server;
    return new Promise((resolve, reject) => {
      server.once('error', reject);
      server.listen(port, host, () => {
        server.off('error', reject);
        server.on('error', (error) => this.#log.error('http port failed', { error }));
        const address = server.address();
        resolve(typeof address === 'object' && address !== null ? address.port : port);
      });
    });
  }

  /** Answers under way are finished; connections kept alive are closed. Harmless when repeated. */
  close(): Promise<void> {
    return new Promise((resolve) => {
      this.#server.close(() => resolve());
    });
  }

  async #serve(request: IncomingMessage, response: ServerResponse): Promise<void> {
    const { status, headers, body } = await this.#answer(request);
    response.writeHead(status, {
      ...headers,
      'content-length': Buffer.byteLength(body),
      // Whoever was refused, or sends a body nobody asked for, may dial again.
      ...(status === 200 && request.headers['content-length'] === undefined
        ? {}
        : { connection: 'close' }),
    });
    response.end(request.method === 'HEAD' ? undefined : body);
  }

  async #answer(request: IncomingMessage) {
    const { method = 'GET', url = '/', headers } = request;
    try {
      return await answer({ method, url, authorization: headers.authorization }, this.#windows);
    } catch (error) {
      this.#log.error('http answer failed', { url, error });
      return failure();
    }
  }
}
