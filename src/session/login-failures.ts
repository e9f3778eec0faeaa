/** Under which reason a refusal counts that ends a login. */
import type { ErrorCode } from '../errors/catalog.ts';
import type { LoginFailureReason } from '../telemetry/login-meters.ts';

const REASONS: { readonly [code in ErrorCode]?: LoginFailureReason } = {
  password_failed: 'password',
  certificate_required: 'certificate',
  certificate_failed: 'certificate',
  hba_no_entry: 'hba',
  hba_rejects: 'hba',
  tls_required: 'tls',
  protocol_violation: 'protocol',
  unsupported_protocol: 'protocol',
  replication_unsupported: 'protocol',
  startup_parameter: 'protocol',
  login_timeout: 'timeout',
  process_client_limit: 'limit',
  client_limit: 'limit',
  login_limit: 'limit',
  client_not_allowed: 'not_allowed',
  database_not_allowed: 'not_allowed',
  unknown_database: 'unknown_database',
  users_unavailable: 'lookup',
  draining: 'draining',
  internal: 'internal',
};

/** What is not listed comes from the search for a server: its queue, its login, its absence. */
export function failureReason(code: ErrorCode): LoginFailureReason {
  return REASONS[code] ?? 'server';
}
