/**
 * THE error table: every error Sluice itself answers a client with. What a server says is passed on
 * as it came and is not in here.
 *
 * A row says what the client may see and whose fault it is. `{name}` in a text is filled in by
 * `refuse`, which the compiler holds to the names in the row. Texts that Postgres has are kept word
 * for word, because applications compare them. No text carries a host name, a secret or anything
 * about a service that is not the client's own.
 *
 * SQLSTATEs decide what drivers do next. Errors that will pass by themselves (`retryable`) sit in
 * classes 08, 53 and 57, which retry strategies know; errors that will not pass as written stay out
 * of those, so that nobody repeats them in a loop. The exceptions are Postgres's own: 08P01, 57014
 * and 08007, which say more to whoever looks at the whole code.
 *
 * `TABLE.md` beside this file is generated from it by `npm run docs`; tests prove that it is
 * current, and that every code is raised somewhere under `src/`.
 */

/** Who has to change something for the error to go away. The label `fault` of the metrics. */
export type Fault = 'client' | 'policy' | 'capacity' | 'server' | 'network' | 'internal';

/** As Postgres has it: ERROR ends a statement, FATAL ends the connection. */
export type Severity = 'ERROR' | 'FATAL';

export interface CatalogRow {
  readonly sqlstate: string;
  readonly severity: Severity;
  readonly fault: Fault;
  readonly message: string;
  readonly hint: string | null;
  /** The same thing may be tried again later, unchanged, and may then pass. */
  readonly retryable: boolean;
  /** For the reader of TABLE.md: when it happens, what to look at. Clients never see it. */
  readonly doc: string;
}

export const catalog = {
  queue_timeout: {
    sqlstate: '53300',
    severity: 'ERROR',
    fault: 'capacity',
    message: 'no server became free for service "{service}" within {waited_ms} ms',
    hint: 'All servers of the service are busy. Try again later, or make its transactions shorter.',
    retryable: true,
    doc: 'The statement waited for `pool.queue_timeout`. Look at the age of transactions.',
  },
  queue_full: {
    sqlstate: '53300',
    severity: 'ERROR',
    fault: 'capacity',
    message: 'the queue of service "{service}" is full',
    hint: 'Too many statements of the service are waiting for a server already. Try again later.',
    retryable: true,
    doc: '`pool.max_queue` statements were waiting; refused at once rather than after a long wait.',
  },
  client_limit: {
    sqlstate: '53300',
    severity: 'FATAL',
    fault: 'capacity',
    message: 'too many clients of service "{service}"',
    hint: 'Close connections that are not in use, or try again later.',
    retryable: true,
    doc: 'The service has `pool.max_clients` connections.',
  },
  process_client_limit: {
    sqlstate: '53300',
    severity: 'FATAL',
    fault: 'capacity',
    message: 'sorry, too many clients already',
    hint: null,
    retryable: true,
    doc: 'The process has `limits.max_clients` connections, those still logging in included.',
  },
  login_timeout: {
    sqlstate: '57014',
    severity: 'FATAL',
    fault: 'client',
    message: 'canceling authentication due to timeout',
    hint: null,
    retryable: true,
    doc: 'The client took longer than `limits.login_timeout` from its first byte to its last.',
  },
  unknown_database: {
    sqlstate: '3D000',
    severity: 'FATAL',
    fault: 'client',
    message: 'database "{database}" does not exist',
    hint: null,
    retryable: false,
    doc: 'The name is not among `databases`. Only said to clients that have proved who they are.',
  },
  database_not_allowed: {
    sqlstate: '42501',
    severity: 'FATAL',
    fault: 'policy',
    message: 'permission denied for database "{database}"',
    hint: null,
    retryable: false,
    doc: '`auth.users` lists the databases this user may open, and this one is not among them.',
  },
  client_not_allowed: {
    sqlstate: '28000',
    severity: 'FATAL',
    fault: 'policy',
    message: 'user "{user}" may not connect from this address',
    hint: null,
    retryable: false,
    doc: '`auth.users` lists the networks this user may come from. The log has the address.',
  },
  password_failed: {
    sqlstate: '28P01',
    severity: 'FATAL',
    fault: 'client',
    message: 'password authentication failed for user "{user}"',
    hint: null,
    retryable: false,
    doc: 'Wrong password or no such user; on purpose the client cannot tell which. The log can.',
  },
  certificate_required: {
    sqlstate: '28000',
    severity: 'FATAL',
    fault: 'client',
    message: 'connection requires a valid client certificate',
    hint: 'Connect with TLS, and show a certificate that the authority in client_ca has signed.',
    retryable: false,
    doc: 'The method is `cert`, and there was no certificate, or none that counts here.',
  },
  certificate_failed: {
    sqlstate: '28000',
    severity: 'FATAL',
    fault: 'client',
    message: 'certificate authentication failed for user "{user}"',
    hint: null,
    retryable: false,
    doc: 'No name in the certificate is that of the user: common name, DNS, email or URI.',
  },
  hba_rejects: {
    sqlstate: '28000',
    severity: 'FATAL',
    fault: 'policy',
    message: 'pg_hba.conf rejects connection for {claim}',
    hint: null,
    retryable: false,
    doc: 'The first entry of `auth.hba_file` that fits has the method `reject`.',
  },
  hba_no_entry: {
    sqlstate: '28000',
    severity: 'FATAL',
    fault: 'policy',
    message: 'no pg_hba.conf entry for {claim}',
    hint: null,
    retryable: false,
    doc: 'No entry of `auth.hba_file` fits.',
  },
  users_unavailable: {
    sqlstate: '57P03',
    severity: 'FATAL',
    fault: 'server',
    message: 'users cannot be looked up at the moment',
    hint: null,
    retryable: true,
    doc: '`auth.query` got no answer, and none from before is kept. The log has the cause.',
  },
  login_limit: {
    sqlstate: '53300',
    severity: 'FATAL',
    fault: 'capacity',
    message: 'too many clients are logging in',
    hint: 'Try again later.',
    retryable: true,
    doc: '`limits.max_logins` clients were logging in at one time.',
  },
  tls_required: {
    sqlstate: '28000',
    severity: 'FATAL',
    fault: 'client',
    message: 'this listener accepts encrypted connections only',
    hint: 'Connect with sslmode=require or stricter.',
    retryable: false,
    doc: 'The listener has `tls.mode: require` and the client sent its login in the clear.',
  },
  protocol_violation: {
    sqlstate: '08P01',
    severity: 'FATAL',
    fault: 'client',
    message: '{problem}',
    hint: null,
    retryable: false,
    doc: 'Bytes no Postgres client may send. The text says which; the connection is closed.',
  },
  unsupported_protocol: {
    sqlstate: '0A000',
    severity: 'FATAL',
    fault: 'client',
    message: 'unsupported frontend protocol {version}: server supports 3.0 to 3.2',
    hint: null,
    retryable: false,
    doc: 'A major version other than 3. Newer minor versions are negotiated down instead.',
  },
  target_down: {
    sqlstate: '57P03',
    severity: 'ERROR',
    fault: 'server',
    message: 'no connection to database "{database}" could be made',
    hint: null,
    retryable: true,
    doc: 'Connecting failed or took longer than `timeouts.connect`. The log has address and cause.',
  },
  server_login_failed: {
    sqlstate: '28000',
    severity: 'ERROR',
    fault: 'server',
    message: 'the server of database "{database}" refused the login',
    hint: null,
    retryable: false,
    doc: "Sluice reached the server but was not let in. The log has the server's own words.",
  },
  no_server_password: {
    sqlstate: '28000',
    severity: 'ERROR',
    fault: 'server',
    message: 'no password is known with which to log in as "{user}" to database "{database}"',
    hint: null,
    retryable: false,
    doc:
      'With `login: client` a user is logged in as itself: by its plain password, or by what its ' +
      'own login gave, if the server stores the very verifier that Sluice has checked it against.',
  },
  server_lost: {
    sqlstate: '08006',
    severity: 'ERROR',
    fault: 'network',
    message: 'the connection to the server was lost',
    hint: null,
    retryable: true,
    doc: 'The server closed, crashed or became unreachable; nothing that ran can have committed.',
  },
  server_lost_in_commit: {
    sqlstate: '08007',
    severity: 'ERROR',
    fault: 'network',
    message: 'the connection to the server was lost while it may have been committing',
    hint: 'Verify whether the change was made before you repeat it.',
    retryable: false,
    doc: 'A COMMIT, or a write outside a transaction, was unanswered: the outcome is unknown.',
  },
  draining: {
    sqlstate: '57P01',
    severity: 'FATAL',
    fault: 'server',
    message: 'terminating connection due to administrator command',
    hint: null,
    retryable: true,
    doc: 'This process is stopping. Another one takes the connection.',
  },
  cancelled_by_user: {
    sqlstate: '57014',
    severity: 'ERROR',
    fault: 'client',
    message: 'canceling statement due to user request',
    hint: null,
    retryable: false,
    doc: 'A cancel request arrived while the statement was still waiting for a server.',
  },
  idle_in_transaction: {
    sqlstate: '25P03',
    severity: 'FATAL',
    fault: 'policy',
    message: 'terminating connection due to idle-in-transaction timeout',
    hint: null,
    retryable: false,
    doc: 'A transaction was open and silent for `timeouts.idle_in_transaction`; it is rolled back.',
  },
  transaction_deadline: {
    sqlstate: '25P04',
    severity: 'FATAL',
    fault: 'policy',
    message: 'terminating connection due to transaction timeout',
    hint: null,
    retryable: false,
    doc: 'A transaction was open for `timeouts.transaction`; it is rolled back.',
  },
  client_idle: {
    sqlstate: '57P05',
    severity: 'FATAL',
    fault: 'policy',
    message: 'terminating connection due to idle-session timeout',
    hint: null,
    retryable: true,
    doc: 'The client was silent outside a transaction for `timeouts.client_idle`.',
  },
  transaction_failed: {
    sqlstate: '25P02',
    severity: 'ERROR',
    fault: 'client',
    message: 'current transaction is aborted, commands ignored until end of transaction block',
    hint: null,
    retryable: false,
    doc: 'As Postgres: an error was answered inside this transaction and only ROLLBACK helps.',
  },
  statement_mode_transaction: {
    sqlstate: '0A000',
    severity: 'ERROR',
    fault: 'policy',
    message: 'transaction blocks are not available in statement pooling',
    hint: 'Use a service whose pool.mode is transaction or session.',
    retryable: false,
    doc: 'The service has `pool.mode: statement`, where each statement may run on another server.',
  },
  pin_refused: {
    sqlstate: '0A000',
    severity: 'ERROR',
    fault: 'policy',
    message: '{what} cannot be kept in transaction pooling',
    hint: 'Use it within one transaction, or a service with pin: allow or pool.mode: session.',
    retryable: false,
    doc: 'The statement leaves state in the server session, and the service has `pin: refuse`.',
  },
  prepared_exists: {
    sqlstate: '42P05',
    severity: 'ERROR',
    fault: 'client',
    message: 'prepared statement "{name}" already exists',
    hint: null,
    retryable: false,
    doc: 'As Postgres: Parse of a name that is taken in this session.',
  },
  prepared_missing: {
    sqlstate: '26000',
    severity: 'ERROR',
    fault: 'client',
    message: 'prepared statement "{name}" does not exist',
    hint: null,
    retryable: false,
    doc: 'As Postgres: Bind or Describe of a name this session has not prepared.',
  },
  unnamed_missing: {
    sqlstate: '26000',
    severity: 'ERROR',
    fault: 'client',
    message: 'unnamed prepared statement does not exist',
    hint: null,
    retryable: false,
    doc: 'As Postgres: Bind or Describe of the unnamed statement when there is none.',
  },
  startup_parameter: {
    sqlstate: '22023',
    severity: 'FATAL',
    fault: 'client',
    message: 'startup parameter "{name}" cannot be used here',
    hint: null,
    retryable: false,
    doc: 'The login asked for a setting that Sluice cannot carry from server to server.',
  },
  replication_unsupported: {
    sqlstate: '0A000',
    severity: 'FATAL',
    fault: 'client',
    message: 'replication connections are not available here',
    hint: 'Connect to the server directly.',
    retryable: false,
    doc: 'The login asked for `replication`. Streams of changes belong on a direct connection.',
  },
  internal: {
    sqlstate: 'XX000',
    severity: 'FATAL',
    fault: 'internal',
    message: 'internal error',
    hint: null,
    retryable: false,
    doc: 'A defect of Sluice ended this session, and this session only. The log has the stack.',
  },
} as const satisfies Record<string, CatalogRow>;

export type ErrorCode = keyof typeof catalog;
