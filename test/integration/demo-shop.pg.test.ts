/**
 * The shop's data, seeded small: what holds for a thousand orders holds for a million and a half.
 */
import { afterAll, beforeAll, expect, test } from 'vitest';
import type { Cluster } from '../../src/demo/cluster.ts';
import { runSql } from '../../src/demo/connect.ts';
import { type SeedProgress, SHOP_DATABASE, SHOP_USERS, seedShop } from '../../src/demo/shop.ts';
import { ownCluster, value } from '../support/cluster.ts';

const ORDERS = 12_000;
let cluster: Cluster;
const progress: SeedProgress[] = [];

beforeAll(async () => {
  cluster = await ownCluster();
  await seedShop(cluster.primary, ORDERS, (step) => progress.push(step));
});

afterAll(() => cluster.stop());

const as = (user: keyof typeof SHOP_USERS) => ({ database: SHOP_DATABASE, ...SHOP_USERS[user] });
const ask = (sql: string) => value(sql, as('reporter'), cluster.primary);

test('has every order, with a customer, and a payment for all but each sixth', async () => {
  expect(await ask('SELECT count(*) FROM orders')).toBe(String(ORDERS));
  expect(await ask('SELECT count(*) FROM customers')).toBe(String(ORDERS / 20));
  expect(await ask('SELECT count(*) FROM payments')).toBe(String((ORDERS / 6) * 5));
  const orphans = 'SELECT count(*) FROM orders o LEFT JOIN customers c ON c.id = o.customer_id';
  expect(await ask(`${orphans} WHERE c.id IS NULL`)).toBe('0');
  const most = 'SELECT count(*) FROM orders GROUP BY customer_id ORDER BY 1 DESC LIMIT 1';
  expect(await ask(most)).toBe('20');
});

test('reports progress up to the last row of every table', () => {
  const last = Object.fromEntries(progress.map((step) => [step.table, step.rows]));
  expect(last).toEqual({ customers: ORDERS / 20, orders: ORDERS, payments: ORDERS });
});

test('has no index on created_at, and one on customer_id', async () => {
  const plan = async (where: string) => {
    const { rows } = await runSql<{ 'QUERY PLAN': string }>(
      cluster.primary,
      `EXPLAIN SELECT * FROM orders WHERE ${where}`,
      as('reporter'),
    );
    return rows.map((row) => row['QUERY PLAN']).join('\n');
  };
  expect(await plan("created_at >= '2024-01-04'")).toContain('Seq Scan on orders');
  expect(await plan('customer_id = 42')).toContain('orders_customer_id');
});

test('lets the application write and the reporter only read', async () => {
  const insert = 'INSERT INTO orders (customer_id, status, total_cents) VALUES (1, $$placed$$, 5)';
  const placed = await runSql<{ id: string }>(
    cluster.primary,
    `BEGIN; ${insert}; ROLLBACK; ${insert} RETURNING id`,
    as('orders'),
  );
  expect(placed).toBeDefined();
  expect(Number(await ask('SELECT max(id) FROM orders'))).toBeGreaterThan(ORDERS);
  await runSql(cluster.primary, `DELETE FROM orders WHERE id > ${ORDERS}`, as('dba'));
  await expect(runSql(cluster.primary, insert, as('reporter'))).rejects.toThrow(
    'permission denied',
  );
});
