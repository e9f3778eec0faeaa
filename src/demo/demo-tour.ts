/** What the demo shows once it runs: connection strings and things to try. */
import type { Cluster } from './cluster.ts';
import { SHOP_DATABASE, SHOP_USERS, type ShopUser } from './shop.ts';

export interface TourPorts {
  readonly port: number;
  readonly httpPort: number;
}

/** The unindexed column: every one of these reads the whole table. */
const REPORT =
  "SELECT date_trunc('day', created_at) AS day, count(*), sum(total_cents) FROM orders " +
  "WHERE created_at >= '2025-01-01' GROUP BY 1 ORDER BY 3 DESC LIMIT 3";
const LOOK_UP = 'SELECT * FROM orders WHERE customer_id = 42 ORDER BY id DESC LIMIT 3';

export function tour(cluster: Cluster, ports: TourPorts): string[] {
  const { orders, reporter } = SHOP_USERS;
  const http = `http://127.0.0.1:${ports.httpPort}`;
  const report = `psql ${url(reporter, ports.port)}`;
  const order = `psql ${url(orders, ports.port)}`;
  return [
    '',
    'Through Sluice (any Postgres client will do):',
    ...Object.values(SHOP_USERS).map(
      (user) => `  psql ${url(user, ports.port).padEnd(58)} # ${user.does}`,
    ),
    'Around it, to compare:',
    `  psql ${url(orders, cluster.primary.port).padEnd(58)} # the primary`,
    ...cluster.replicas.map(
      (replica) => `  psql ${url(reporter, replica.port).padEnd(58)} # ${replica.name}, read-only`,
    ),
    '',
    'Things to try:',
    '  1. What an order asks: a few rows by index.',
    `     ${order} -c "${LOOK_UP}"`,
    '  2. What a report asks: created_at has no index, so this reads every order.',
    `     ${report} -c "${REPORT}"`,
    '  3. Twenty reports at once. They share the two servers of their service; the others wait in',
    '     its queue, and the line from 1. is still answered at once.',
    `     for i in $(seq 20); do ${report} -c "${REPORT}" >/dev/null & done; wait`,
    '  4. A server belongs to a client for one transaction only: repeat this in two terminals.',
    `     ${order} -c "SELECT pg_backend_pid()"`,
    '  5. Who waits for what, in numbers, and whether Sluice can serve.',
    `     curl -s ${http}/metrics | grep ^sluice_`,
    `     curl -s ${http}/readyz`,
    '',
    `The configuration is ${cluster.folder}/sluice.yaml`,
    'Ctrl-C stops everything.',
  ];
}

function url(user: ShopUser, port: number): string {
  return `postgres://${user.user}:${user.password}@127.0.0.1:${port}/${SHOP_DATABASE}`;
}
