/**
 * Every metric Sluice exports, as data: what scrapers see, what METRICS.md says, and what `Metrics`
 * must provide a reader for. Names have the prefix `sluice_`, base units (seconds, bytes) and
 * `_total` on counters. Every label has few values: services, databases and targets come from the
 * configuration, the rest from tables in the source. Nothing a client sends becomes a label.
 *
 * `METRICS.md` beside this file is generated from it by `npm run docs`.
 */

export interface MetricRow {
  readonly type: 'counter' | 'gauge' | 'histogram';
  readonly labels: readonly string[];
  readonly help: string;
}

export const metricTable = {
  sluice_info: {
    type: 'gauge',
    labels: ['version', 'instance'],
    help: 'Always 1. Which version runs as which instance.',
  },
  sluice_config_generation: {
    type: 'gauge',
    labels: [],
    help: 'Which configuration is in effect: 1 is the one of the start, each reload adds one.',
  },
  sluice_config_applied_timestamp_seconds: {
    type: 'gauge',
    labels: [],
    help: 'When the configuration in effect was put into effect, as a Unix time.',
  },
  sluice_config_reloads_total: {
    type: 'counter',
    labels: ['result'],
    help: 'Reloads by result: applied, unchanged, or failed, which changes nothing.',
  },
  sluice_config_last_reload_successful: {
    type: 'gauge',
    labels: [],
    help: 'Whether the files are in order: 0 after a reload that failed, until one does not.',
  },
  sluice_clients: {
    type: 'gauge',
    labels: ['service', 'state'],
    help: 'Clients by state, those still logging in under an empty service.',
  },
  sluice_clients_waiting: {
    type: 'gauge',
    labels: ['service'],
    help: 'Clients waiting for a server.',
  },
  sluice_wait_oldest_seconds: {
    type: 'gauge',
    labels: ['service'],
    help: 'How long the client at the head of the queue has been waiting; 0 when there is none.',
  },
  sluice_servers: {
    type: 'gauge',
    labels: ['service', 'database', 'target', 'state'],
    help: 'Server connections by state.',
  },
  sluice_connections_accepted_total: {
    type: 'counter',
    labels: [],
    help: 'Connections accepted by the listeners, cancel requests included.',
  },
  sluice_logins_total: {
    type: 'counter',
    labels: ['service', 'outcome'],
    help: 'Logins by outcome: ok, failed.',
  },
  sluice_login_attempts_total: {
    type: 'counter',
    labels: [],
    help: 'Startup packets received: clients that have said who they are.',
  },
  sluice_login_failures_total: {
    type: 'counter',
    labels: ['reason'],
    help: 'Logins that failed, by reason.',
  },
  sluice_login_seconds: {
    type: 'histogram',
    labels: [],
    help: 'From the first byte of a client to its welcome, of the logins that succeeded.',
  },
  sluice_logins_in_progress: {
    type: 'gauge',
    labels: ['phase'],
    help: 'Clients logging in: greeting, tls, authenticating, delayed (wrong password), welcoming.',
  },
  sluice_tls_handshakes_total: {
    type: 'counter',
    labels: ['outcome'],
    help: 'TLS handshakes with clients by outcome: ok, failed.',
  },
  sluice_tls_handshakes_waiting: {
    type: 'gauge',
    labels: [],
    help: 'TLS handshakes that wait for their turn, one of which comes with every turn of the loop.',
  },
  sluice_auth_queries_total: {
    type: 'counter',
    labels: ['result'],
    help: 'Questions of auth.query: found, unknown, failed; stale where an old answer was used.',
  },
  sluice_queries_total: {
    type: 'counter',
    labels: ['service', 'protocol', 'outcome'],
    help: 'Statements answered, by protocol (simple, extended) and outcome (ok, error).',
  },
  sluice_query_seconds: {
    type: 'histogram',
    labels: ['service'],
    help: 'Server time: from sending a statement to the end of its answer.',
  },
  sluice_wait_seconds: {
    type: 'histogram',
    labels: ['service'],
    help: 'Time spent waiting for a server, per lease; 0 for those who did not wait.',
  },
  sluice_lease_seconds: {
    type: 'histogram',
    labels: ['service'],
    help: 'How long a client held a server: in transaction pooling, the length of a transaction.',
  },
  sluice_errors_total: {
    type: 'counter',
    labels: ['service', 'class', 'fault'],
    help: 'Errors clients received, by SQLSTATE class and by whose fault it was.',
  },
  sluice_refusals_total: {
    type: 'counter',
    labels: ['service', 'code'],
    help: 'Errors of Sluice itself, by code of the error table. Counted in errors as well.',
  },
  sluice_bytes_total: {
    type: 'counter',
    labels: ['service', 'direction'],
    help: 'Bytes on client connections, by direction: from_clients, to_clients.',
  },
  sluice_cancels_total: {
    type: 'counter',
    labels: ['outcome'],
    help: 'Cancel requests by outcome: sent to a server, or ignored (wrong key, nothing running).',
  },
  sluice_orphans_cancelled_total: {
    type: 'counter',
    labels: ['service'],
    help: 'Running statements cancelled because their client had vanished.',
  },
  sluice_doubts_total: {
    type: 'counter',
    labels: ['service'],
    help: 'Servers lost while a COMMIT or an autocommitted write was unanswered (SQLSTATE 08007).',
  },
  sluice_pins_total: {
    type: 'counter',
    labels: ['service', 'reason'],
    help: 'Times a client kept its server beyond a transaction, by what made it necessary.',
  },
  sluice_prepared_statements_total: {
    type: 'counter',
    labels: ['service', 'result'],
    help: 'Uses of a named statement: hit when the server had it prepared already, else miss.',
  },
  sluice_statement_cache_lookups_total: {
    type: 'counter',
    labels: ['result'],
    help: 'Statements looked up by text: hit when they had been analysed before, else miss.',
  },
  sluice_server_connects_total: {
    type: 'counter',
    labels: ['service', 'database', 'target', 'outcome'],
    help: 'Connections opened to servers by outcome: ok, failed.',
  },
  sluice_server_connect_seconds: {
    type: 'histogram',
    labels: ['service', 'database', 'target'],
    help: 'From dialling a server to its being ready, of the connects that succeeded.',
  },
  sluice_servers_lost_total: {
    type: 'counter',
    labels: ['service', 'database', 'target'],
    help: 'Server connections that went away without being asked to.',
  },
  sluice_log_lines_dropped_total: {
    type: 'counter',
    labels: [],
    help: 'Log lines thrown away because the reader of the log did not keep up.',
  },
} as const satisfies Record<string, MetricRow>;

export type MetricName = keyof typeof metricTable;
