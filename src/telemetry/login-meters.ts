/** What is counted of logins, from the first byte to the welcome. One record per process. */
import { DurationHistogram } from './histogram.ts';

/** Why a login failed: the label `reason`. */
const LOGIN_FAILURE_REASONS = [
  /** Wrong password, or no such user. */
  'password',
  'certificate',
  /** The HBA file has no entry for it, or one that rejects it. */
  'hba',
  /** The handshake failed, or there was none where one is required. */
  'tls',
  /** Not the protocol, or a version or wish that is not served. */
  'protocol',
  'timeout',
  /** It went away by itself. */
  'disconnected',
  /** Clients of the process, of the service, or logins at one time. */
  'limit',
  /** The user may not come from there, or not open that database. */
  'not_allowed',
  'unknown_database',
  /** `auth.query` got no answer. */
  'lookup',
  /** No server could be had, or it refused a setting. */
  'server',
  'draining',
  'internal',
] as const;
export type LoginFailureReason = (typeof LOGIN_FAILURE_REASONS)[number];

export class LoginMeters {
  /** Startup packets received: cancel requests and probes are no attempts. */
  attempts = 0;
  readonly failures = new Map<LoginFailureReason, number>(
    LOGIN_FAILURE_REASONS.map((reason) => [reason, 0]),
  );
  /** From the first byte to the welcome, of the logins that succeeded. */
  readonly duration = new DurationHistogram();
  tlsOk = 0;
  tlsFailed = 0;
  /** Questions of `auth.query` by how they ended. */
  lookupsFound = 0;
  lookupsUnknown = 0;
  lookupsFailed = 0;
  /** An old answer was used because a new one could not be had. */
  lookupsStale = 0;

  failed(reason: LoginFailureReason): void {
    this.failures.set(reason, (this.failures.get(reason) ?? 0) + 1);
  }
}
