import { expect, test } from 'vitest';
import { parse } from 'yaml';
import { demoConfig } from '../../../src/demo/demo-config.ts';
import { SHOP_USERS } from '../../../src/demo/shop.ts';

interface Shape {
  listen: { host: string; port: number }[];
  http: { port: number };
  auth: { users: Record<string, { password: string }> };
  servers: { db1: { address: string } };
  services: { name: string; match: { users: string[] } }[];
}

test('the demo’s configuration has its ports and lets every user of the shop in', () => {
  const config = parse(demoConfig({ proxy: 6432, http: 9632, primary: 20_001 })) as Shape;
  expect(config.listen).toEqual([{ host: '127.0.0.1', port: 6432 }]);
  expect(config.http.port).toBe(9632);
  expect(config.servers.db1.address).toBe('127.0.0.1:20001');
  for (const { user, password } of Object.values(SHOP_USERS)) {
    expect(config.auth.users[user]).toEqual({ password });
  }
});
