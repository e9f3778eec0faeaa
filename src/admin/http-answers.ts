/**
 * What the HTTP port answers, without the HTTP: a request's three facts in, an answer out.
 *
 * - `/healthz`: should this process be replaced? Only a standing event loop says yes.
 * - `/readyz`: should it be sent clients? No while starting and draining. Never a matter of what
 *   the servers behind it do: a dead primary must not take every proxy out at once.
 * - `/metrics`: Prometheus.
 * - `/status`: how things are, as JSON for people and scripts. Always 200: it is `ok` inside that
 *   says more, and a monitor that wants a number has the metrics.
 *
 * Probers cannot carry a token everywhere, so the first two never ask for one. All else does when
 * one is configured, unknown paths included: who may not look learns nothing about what is there.
 */
import { createHash, timingSafeEqual } from 'node:crypto';

export interface HttpWindows {
  /** Bearer token; null lets everybody in. */
  readonly token: string | null;
  /** What is wrong, or null. */
  readonly health: () => string | null;
  /** Why no clients should be sent here; empty when ready. */
  readonly unready: () => readonly string[];
  readonly status: () => Readonly<Record<string, unknown>>;
  readonly metrics: () => Promise<{ readonly contentType: string; readonly text: string }>;
}

export interface HttpRequest {
  readonly method: string;
  /** With or without a query string, which is ignored. */
  readonly url: string;
  readonly authorization: string | undefined;
}

export interface HttpAnswer {
  readonly status: number;
  readonly headers: Readonly<Record<string, string>>;
  readonly body: string;
}

export async function answer(request: HttpRequest, windows: HttpWindows): Promise<HttpAnswer> {
  const path = request.url.split('?', 1)[0];
  const isProbe = path === '/healthz' || path === '/readyz';
  if (!isProbe && !mayLook(request.authorization, windows.token)) {
    return json(401, { error: 'a bearer token is required' }, { 'www-authenticate': 'Bearer' });
  }
  if (!isProbe && path !== '/metrics' && path !== '/status') {
    return json(404, { error: 'not found' });
  }
  if (request.method !== 'GET' && request.method !== 'HEAD') {
    return json(405, { error: 'only GET and HEAD' }, { allow: 'GET, HEAD' });
  }
  if (path === '/healthz') return health(windows.health());
  if (path === '/readyz') return readiness(windows.unready());
  if (path === '/status') return json(200, windows.status());
  const { contentType, text } = await windows.metrics();
  return { status: 200, headers: { ...commonHeaders, 'content-type': contentType }, body: text };
}

/** What a defect of ours looks like from outside; the log has the rest. */
export function failure(): HttpAnswer {
  return json(500, { error: 'internal error' });
}

function health(trouble: string | null): HttpAnswer {
  if (trouble === null) return json(200, { healthy: true, reasons: [] });
  return json(503, { healthy: false, reasons: [trouble] });
}

function readiness(reasons: readonly string[]): HttpAnswer {
  return json(reasons.length === 0 ? 200 : 503, { ready: reasons.length === 0, reasons });
}

function mayLook(authorization: string | undefined, token: string | null): boolean {
  if (token === null) return true;
  const given = /^bearer +(\S+) *$/i.exec(authorization ?? '')?.[1];
  // Digests have one length, so the comparison tells nothing about the token's.
  return given !== undefined && timingSafeEqual(digest(given), digest(token));
}

function digest(text: string): Buffer {
  return createHash('sha256').update(text).digest();
}

const commonHeaders = { 'cache-control': 'no-store', 'x-content-type-options': 'nosniff' } as const;

function json(
  status: number,
  body: Readonly<Record<string, unknown>>,
  headers: Readonly<Record<string, string>> = {},
): HttpAnswer {
  return {
    status,
    headers: { ...commonHeaders, 'content-type': 'application/json', ...headers },
    body: `${JSON.stringify(body)}\n`,
  };
}
