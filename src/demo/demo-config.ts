/** The configuration the demo's proxy is started with: a file somebody may read and learn from. */
import { SHOP_DATABASE, SHOP_USERS } from './shop.ts';

export interface DemoPorts {
  /** Sluice's own; 0 lets the system choose. */
  readonly proxy: number;
  readonly http: number;
  /** The Postgres primary's. */
  readonly primary: number;
}

export function demoConfig(ports: DemoPorts): string {
  const { orders, reporter, dba } = SHOP_USERS;
  return `# The demo's Sluice. Applications connect to the port below instead of to Postgres.
listen:
  - { host: 127.0.0.1, port: ${ports.proxy} }
http: { host: 127.0.0.1, port: ${ports.http} }
log: { level: warn, format: pretty }
drain: { ready_off: off, transactions: 2s }

auth:
  method: scram-sha-256
  users:
    ${orders.user}: { password: ${orders.password} }
    ${reporter.user}: { password: ${reporter.password} }
    ${dba.user}: { password: ${dba.password} }

servers:
  db1: { address: "127.0.0.1:${ports.primary}" }
databases:
  ${SHOP_DATABASE}:
    targets:
      - { name: primary, server: db1, role: primary }

# Each service has its own share of the database: reports can never hold more than two servers,
# however many of them are started.
services:
  - name: orders
    match: { users: [${orders.user}] }
    pool: { size: 10, max_clients: 1000, queue_timeout: 3s }
    timeouts: { idle_in_transaction: 10s }
  - name: reports
    match: { users: [${reporter.user}] }
    pool: { size: 2, queue_timeout: 60s }
`;
}
