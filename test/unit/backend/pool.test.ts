import { describe, expect, test } from 'vitest';
import type { Pool } from '../../../src/backend/pool.ts';
import { requestCancel } from '../../../src/backend/cancel-request.ts';
import { Action, Expect } from '../../../src/backend/reply-queue.ts';
import type { ServerConnection } from '../../../src/backend/server-connection.ts';
import { SERVER_STATE_NAMES, ServerState } from '../../../src/backend/server-states.ts';
import { refuse } from '../../../src/errors/proxy-error.ts';
import { TransactionStatus } from '../../../src/wire/codes.ts';
import { DATABASE, serviceConfig, Stage, type StageOptions } from '../../conversation/stage.ts';
import { PoolWaiter } from '../../support/pool-waiter.ts';

interface Yard {
  readonly stage: Stage;
  readonly pool: Pool;
  /** A new waiter that has asked for a server; a model server has answered if one was dialled. */
  ask(): PoolWaiter;
}

function yard(options: StageOptions['pool'] = {}, connectMs = 5_000): Yard {
  const stage = new Stage();
  const service = serviceConfig({ pool: options, timeouts: { connectMs } });
  const pool = stage.pools.get(service, 'shop', DATABASE.targets[0]!, {
    user: 'app',
    password: null,
    stored: null,
    parameters: new Map(),
  });
  return {
    stage,
    pool,
    ask: () => {
      const waiter = new PoolWaiter(pool).acquire();
      stage.settle();
      return waiter;
    },
  };
}

const outcomes = (waiters: readonly PoolWaiter[]): string[] =>
  waiters.map(({ outcome }) => outcome);

describe('giving out', () => {
  test('the first who wants a server has it dialled', () => {
    const { pool, ask } = yard();
    expect(ask().outcome).toBe('served');
    expect(pool.leased.length).toBe(1);
    expect(pool.parameters?.get('server_version')).toBe('18.4');
  });

  test('who waits is served in order, straight from hand to hand', () => {
    const { pool, ask } = yard({ size: 1 });
    const waiters = [ask(), ask(), ask()];
    expect(outcomes(waiters)).toEqual(['served', 'waiting', 'waiting']);
    waiters[0]?.done();
    expect(pool.idle.length).toBe(0);
    expect(outcomes(waiters)).toEqual(['nothing', 'served', 'waiting']);
    waiters[1]?.done();
    expect(outcomes(waiters)).toEqual(['nothing', 'nothing', 'served']);
  });

  test('nobody overtakes those who wait, even when a server is idle', () => {
    const { pool, ask, stage } = yard({ size: 1, checkAfterMs: 1_000 });
    ask().done();
    stage.pass(2_000);
    stage.server().muted = true;
    const first = ask();
    expect(pool.checking.length).toBe(1);
    const second = ask();
    stage.server().muted = false;
    stage.server().peer.send(Buffer.from('Z\0\0\0\x05I'));
    expect(outcomes([first, second])).toEqual(['served', 'waiting']);
  });

  test('the server used last is used next', () => {
    const { ask } = yard({ size: 2 });
    const [one, two] = [ask(), ask()];
    const last = two.server;
    one.done();
    two.done();
    expect(ask().server).toBe(last);
  });

  test('it dials one server for each who waits, up to its size', () => {
    const { stage, pool } = yard({ size: 2 });
    const waiters = [1, 2, 3].map(() => new PoolWaiter(pool).acquire());
    expect(pool.connecting.length).toBe(2);
    stage.settle();
    expect(outcomes(waiters)).toEqual(['served', 'served', 'waiting']);
    expect(stage.servers.length).toBe(2);
  });

  test('a waiter that leaves is passed over, and its server is not wasted', () => {
    const { stage, pool } = yard({ size: 1 });
    const waiter = new PoolWaiter(pool).acquire();
    pool.leave(waiter);
    stage.settle();
    expect(pool.idle.length).toBe(1);
    expect(waiter.outcome).toBe('nothing');
    expect(pool.budget.waiting).toBe(0);
  });
});

describe('limits of the queue', () => {
  test('max_queue counts those who wait, not those who are served', () => {
    const { ask } = yard({ size: 1, maxQueue: 2 });
    const waiters = [ask(), ask(), ask(), ask()];
    expect(outcomes(waiters)).toEqual(['served', 'waiting', 'waiting', 'queue_full']);
  });

  test('a max_queue of nothing still lets the first one have a server', () => {
    const { ask } = yard({ size: 1, maxQueue: 0 });
    expect(outcomes([ask(), ask()])).toEqual(['served', 'queue_full']);
  });

  test('queue_timeout ends waits one after the other', () => {
    const { stage, pool, ask } = yard({ size: 1, queueTimeoutMs: 1_000 });
    const served = ask();
    const early = ask();
    stage.pass(600);
    const late = ask();
    stage.pass(400);
    expect(outcomes([early, late])).toEqual(['queue_timeout', 'waiting']);
    stage.pass(600);
    expect(late.outcome).toBe('queue_timeout');
    expect(pool.budget.waiting).toBe(0);
    expect(served.outcome).toBe('served');
  });

  test('without queue_timeout nobody is sent away', () => {
    const { stage, ask } = yard({ size: 1, queueTimeoutMs: 0 });
    ask();
    const waiter = ask();
    stage.pass(10_000);
    stage.clock.advance(24 * 3_600_000);
    expect(waiter.outcome).toBe('waiting');
  });
});

describe('ages', () => {
  test('a server past its lifetime closes when it is given back', () => {
    const { stage, pool, ask } = yard({ lifetimeMs: 10_000 });
    const waiter = ask();
    stage.pass(10_100);
    expect(pool.leased.length).toBe(1);
    waiter.done();
    expect(pool.size).toBe(0);
    expect(pool.budget.used).toBe(0);
  });

  test('or when it is idle', () => {
    const { stage, pool, ask } = yard({ lifetimeMs: 10_000, idleTimeoutMs: 0 });
    ask().done();
    stage.pass(9_900);
    expect(pool.idle.length).toBe(1);
    stage.pass(200);
    expect(pool.size).toBe(0);
    expect(stage.server().peer.received.at(-1)?.name).toBe('Terminate');
  });

  test('idle servers close from the one unused for longest, down to min', () => {
    const { stage, pool, ask } = yard({ size: 3, min: 1, idleTimeoutMs: 5_000, checkAfterMs: 0 });
    const waiters = [ask(), ask(), ask()];
    for (const waiter of waiters) waiter.done();
    const newest = pool.idle.first();
    stage.pass(4_900);
    expect(pool.idle.length).toBe(3);
    stage.pass(200);
    expect([...pool.idle]).toEqual([newest]);
  });

  test('min is filled without anybody waiting, and again when one is lost', () => {
    const { stage, pool } = yard({ size: 3, min: 2 });
    stage.pass(100);
    expect(pool.idle.length).toBe(2);
    stage.server().peer.reset();
    stage.pass(100);
    expect(pool.idle.length).toBe(2);
    expect(stage.servers.length).toBe(3);
  });
});

describe('the check before use', () => {
  const idleFor = (ms: number): Yard & { first: ServerConnection } => {
    const made = yard({ checkAfterMs: 30_000, idleTimeoutMs: 0 }, 2_000);
    const waiter = made.ask();
    const first = waiter.server as ServerConnection;
    waiter.done();
    made.stage.pass(ms);
    return { ...made, first };
  };

  test('is not made of a server used lately', () => {
    const { stage, ask, first } = idleFor(29_000);
    expect(ask().server).toBe(first);
    expect(stage.server().peer.count('Sync')).toBe(0);
  });

  test('is a Sync, and then the waiter has it', () => {
    const { stage, ask, first } = idleFor(31_000);
    expect(ask().server).toBe(first);
    expect(stage.server().peer.count('Sync')).toBe(1);
  });

  test('finds a server that answers no more, and another one is dialled', () => {
    const { stage, pool, ask, first } = idleFor(31_000);
    stage.server().muted = true;
    const waiter = ask();
    expect(pool.checking.length).toBe(1);
    stage.pass(1_900);
    expect(waiter.outcome).toBe('waiting');
    stage.pass(200);
    expect(waiter.outcome).toBe('served');
    expect(waiter.server).not.toBe(first);
    expect(first.state).toBe(ServerState.Closed);
    expect(pool.budget.used).toBe(1);
  });

  test('finds one that has gone', () => {
    const { stage, ask } = idleFor(31_000);
    stage.server().muted = true;
    const waiter = ask();
    stage.server().peer.reset();
    expect(waiter.outcome).toBe('served');
    expect(stage.servers.length).toBe(2);
  });

  test('leaves no timer behind', () => {
    const { stage, ask } = idleFor(31_000);
    const before = stage.clock.pending;
    ask();
    expect(stage.clock.pending).toBe(before);
  });
});

describe('servers that cannot be had', () => {
  test('all who wait are told, and the next is tried after a growing pause', () => {
    const { stage, pool, ask } = yard({ size: 2 });
    stage.unreachable = true;
    expect(ask().outcome).toBe('target_down');
    expect(pool.size).toBe(0);
    expect(pool.budget.used).toBe(0);
    const during = [ask(), ask()];
    expect(stage.servers.length).toBe(1);
    expect(outcomes(during)).toEqual(['waiting', 'waiting']);
    stage.pass(150);
    expect(outcomes(during)).toEqual(['target_down', 'target_down']);
    const tried = stage.servers.length;
    const later = ask();
    stage.pass(100);
    expect(stage.servers.length).toBe(tried);
    stage.unreachable = false;
    stage.pass(300);
    expect(later.outcome).toBe('served');
  });

  test('while one is left, there is still something to wait for', () => {
    const { stage, ask } = yard({ size: 2 });
    const served = ask();
    stage.unreachable = true;
    const waiter = ask();
    expect(waiter.outcome).toBe('waiting');
    served.done();
    expect(waiter.outcome).toBe('served');
  });

  test('a login that takes too long', () => {
    const { stage, pool, ask } = yard({}, 3_000);
    stage.silent = true;
    const waiter = ask();
    stage.pass(2_900);
    expect(waiter.outcome).toBe('waiting');
    stage.pass(200);
    expect(waiter.outcome).toBe('target_down');
    expect(pool.size).toBe(0);
  });

  test('a login that is refused tells clients nothing of the server', () => {
    const { stage, ask } = yard();
    stage.silent = true;
    const waiter = ask();
    stage.server().peer.sendRaw(Buffer.from('E\0\0\0\x1bSFATAL\0C28P01\0Msecret\0\0', 'latin1'));
    expect(waiter.outcome).toBe('server_login_failed');
    expect(stage.log.messages('warn')).toEqual(['server connect failed']);
  });
});

describe('a cancel request under way', () => {
  test('keeps the server from everybody until it is over', () => {
    const { stage, pool, ask } = yard({ size: 1 });
    const holder = ask();
    const next = ask();
    const server = holder.server as ServerConnection;
    stage.holdCancels = true;
    let done = 0;
    requestCancel(server, stage.clock, false, () => done++);
    stage.settle();
    holder.done();
    expect(pool.cancelling.length).toBe(1);
    expect(next.outcome).toBe('waiting');
    stage.finishCancels();
    expect(next.server).toBe(server);
    expect(done).toBe(1);
  });

  test('is not made twice over', () => {
    const { stage, ask } = yard();
    const server = ask().server as ServerConnection;
    stage.holdCancels = true;
    let done = 0;
    for (let index = 0; index < 5; index++) {
      requestCancel(server, stage.clock, false, () => done++);
    }
    stage.settle();
    expect(stage.servers.length).toBe(3);
    expect(done).toBe(3);
  });

  test('that nobody answers is given up', () => {
    const { stage, pool, ask } = yard({ size: 1 });
    const holder = ask();
    stage.holdCancels = true;
    requestCancel(holder.server as ServerConnection, stage.clock, false, () => {});
    stage.settle();
    holder.done();
    stage.pass(10_100);
    expect(pool.idle.length).toBe(1);
  });
});

describe('the end', () => {
  test('of the pool refuses who waits and whoever comes, and closes what is free', () => {
    const { stage, pool, ask } = yard({ size: 2 });
    const [idle, busy] = [ask(), ask()];
    idle.done();
    const third = ask();
    const waiter = ask();
    expect(outcomes([third, waiter])).toEqual(['served', 'waiting']);
    third.done();
    expect(waiter.outcome).toBe('served');
    pool.close(refuse('draining'));
    stage.settle();
    expect(ask().outcome).toBe('draining');
    busy.done();
    waiter.done();
    expect(pool.size).toBe(0);
    expect(pool.budget.used).toBe(0);
  });

  test('of a leased server is heard by who holds it, once', () => {
    const { stage, pool, ask } = yard();
    const waiter = ask();
    stage.server().peer.reset();
    expect(waiter.replies.losses).toBe(1);
    expect(pool.size).toBe(0);
    expect(pool.budget.used).toBe(0);
  });

  test('a dial that ends after the pool has closed leaves nothing', () => {
    const { stage, pool } = yard();
    new PoolWaiter(pool).acquire();
    pool.close(refuse('draining'));
    stage.settle();
    expect(pool.size).toBe(0);
    expect(pool.budget.used).toBe(0);
    expect(stage.server().peer.ended).toBe(true);
  });
});

describe('what must not happen is asserted', () => {
  test('a move that is not legal', () => {
    const { pool, ask } = yard();
    const server = ask().server as ServerConnection;
    expect(() => pool.move(server, ServerState.Checking)).toThrow('illegal server move');
    expect(() => pool.move(server, ServerState.Connecting)).toThrow('illegal server move');
    server.destroy('test');
    for (const name of SERVER_STATE_NAMES.keys()) {
      expect(() => pool.move(server, name as ServerState)).toThrow('illegal server move');
    }
  });

  test('giving back a server that is not at rest, or not the pool’s', () => {
    const { ask, pool } = yard();
    const server = ask().server as ServerConnection;
    expect(() => yard().pool.release(server)).toThrow('server released to another pool');
    server.status = TransactionStatus.Transaction;
    expect(() => pool.release(server)).toThrow('server released inside a transaction');
    server.status = TransactionStatus.Idle;
    server.replies.expect(Expect.Sync, Action.Drop, null);
    expect(() => pool.release(server)).toThrow('server released while it owes replies');
  });
});
