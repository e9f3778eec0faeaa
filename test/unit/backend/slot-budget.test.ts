import { accountCredentials } from '../../../src/backend/pool-spec.ts';
import { describe, expect, test } from 'vitest';
import type { Pool } from '../../../src/backend/pool.ts';
import { SlotBudget } from '../../../src/backend/slot-budget.ts';
import { DATABASE, serviceConfig, Stage, type StageOptions } from '../../conversation/stage.ts';
import { PoolWaiter } from '../../support/pool-waiter.ts';

/** Two logins of one service on one database: two pools, one budget. */
function logins(options: StageOptions['pool'] = {}) {
  const stage = new Stage();
  const service = serviceConfig({ pool: options });
  const pool = (user: string): Pool =>
    stage.pools.get(
      service,
      'shop',
      DATABASE.targets[0]!,
      accountCredentials({ user, password: null }),
    );
  const ask = (of: Pool): PoolWaiter => {
    const waiter = new PoolWaiter(of).acquire();
    stage.settle();
    return waiter;
  };
  return { stage, ask, one: pool('one'), two: pool('two') };
}

describe('two logins', () => {
  test('share the slots, and each has its own servers', () => {
    const { stage, ask, one, two } = logins({ size: 2 });
    expect(one.budget).toBe(two.budget);
    ask(one);
    ask(two);
    expect([one.size, two.size]).toEqual([1, 1]);
    expect(one.budget.used).toBe(2);
    expect(stage.servers.map(({ peer }) => peer.received[0]?.bytes.includes('two'))).toEqual([
      false,
      true,
    ]);
  });

  test('the idle server of one makes room for the other', () => {
    const { ask, one, two } = logins({ size: 1 });
    ask(one).done();
    expect(ask(two).outcome).toBe('served');
    expect([one.size, two.size]).toEqual([0, 1]);
    expect(one.budget.used).toBe(1);
  });

  test('a busy one makes room when it is free', () => {
    const { stage, ask, one, two } = logins({ size: 1 });
    const first = ask(one);
    const second = ask(two);
    expect(second.outcome).toBe('waiting');
    first.done();
    stage.settle();
    expect(second.outcome).toBe('served');
    expect([one.size, two.size]).toEqual([0, 1]);
  });

  test('one keeps its server for its own, unless the other began to wait long before', () => {
    const { stage, ask, one, two } = logins({ size: 1, queueTimeoutMs: 0 });
    const holder = ask(one);
    const other = ask(two);
    stage.pass(400);
    const own = ask(one);
    holder.done();
    stage.settle();
    expect([own.outcome, other.outcome]).toEqual(['served', 'waiting']);
    stage.pass(600);
    const late = ask(one);
    own.done();
    stage.settle();
    expect([late.outcome, other.outcome]).toEqual(['waiting', 'served']);
    expect([one.size, two.size]).toEqual([0, 1]);
  });

  test('max_queue is for both together', () => {
    const { ask, one, two } = logins({ size: 1, maxQueue: 2 });
    ask(one);
    const waiters = [ask(one), ask(two), ask(two)];
    expect(waiters.map(({ outcome }) => outcome)).toEqual(['waiting', 'waiting', 'queue_full']);
  });

  test('a free slot goes to whoever has waited longest', () => {
    const { stage, ask, one, two } = logins({ size: 1, queueTimeoutMs: 0 });
    const holder = ask(one);
    const first = ask(two);
    const second = ask(one);
    holder.server?.destroy('test');
    stage.settle();
    expect([first.outcome, second.outcome]).toEqual(['served', 'waiting']);
  });

  test('a pool that must pause after a failed dial does not keep the other from the slot', () => {
    const { stage, ask, one, two } = logins({ size: 1 });
    stage.unreachable = true;
    expect(ask(one).outcome).toBe('target_down');
    stage.unreachable = false;
    const paused = ask(one);
    expect(paused.outcome).toBe('waiting');
    expect(ask(two).outcome).toBe('served');
  });
});

test('slots cannot be taken beyond the budget, nor given back twice', () => {
  const budget = new SlotBudget(1);
  budget.take();
  expect(() => budget.take()).toThrow('slot taken beyond the budget');
  budget.giveBack(0);
  expect(() => budget.giveBack(0)).toThrow('slot given back twice');
});
