import { expect, test } from 'vitest';
import { PeerWatch } from '../../../src/app/peer-watch.ts';
import { endpointsKey } from '../../../src/net/tcp-table.ts';
import type { Door } from '../../../src/session/door.ts';
import { FakeClock } from '../../support/fake-clock.ts';
import { FakeLog } from '../../support/fake-log.ts';

const SERVER = { localPort: 40_000, remotePort: 5432, remoteAddress: '10.1.1.1' };
const CLIENT = { localPort: 6432, remotePort: 50_000, remoteAddress: '::ffff:10.2.2.2' };

/** The parts of a door that are looked at: one server that owes an answer, one client. */
function stage() {
  const ended: string[] = [];
  const server = {
    link: { socket: SERVER, bytesRead: 100 },
    queue: { length: 1 },
    destroy: () => ended.push('server'),
  };
  const session = {
    link: { socket: CLIENT, bytesRead: 100, full: true },
    close: () => ended.push('client'),
  };
  const door = {
    limits: { tcpUserTimeoutMs: 10_000 },
    pools: [{ leased: [server], checking: [], cleaning: [] }],
    services: { all: [{ active: [session] }] },
  };
  const clock = new FakeClock();
  const inVain = new Set([endpointsKey(SERVER), endpointsKey(CLIENT)]);
  let reads = 0;
  const watch = new PeerWatch({
    clock,
    log: new FakeLog(),
    door: door as unknown as Door,
    read: async () => {
      reads++;
      return inVain;
    },
  });
  watch.stop();
  /** Looks every five seconds, for this long. */
  const pass = async (seconds: number): Promise<void> => {
    for (let left = seconds; left > 0; left -= 5) {
      clock.advance(5_000);
      await watch.look();
    }
  };
  return { ended, server, session, door, inVain, pass, reads: () => reads };
}

test('a server and a client that acknowledge nothing are ended after the limit', async () => {
  const { ended, pass } = stage();
  await pass(15);
  expect(ended).toEqual([]);
  await pass(5);
  expect(ended).toEqual(['server', 'client']);
});

test('who says something, owes nothing or takes what it is sent is not looked up', async () => {
  const { ended, server, session, pass, reads } = stage();
  session.link.full = false;
  for (let turn = 0; turn < 10; turn++) {
    server.link.bytesRead++;
    await pass(5);
  }
  server.queue.length = 0;
  await pass(60);
  expect([ended, reads()]).toEqual([[], 0]);
});

test('one acknowledgement starts the time anew', async () => {
  const { ended, inVain, pass } = stage();
  await pass(15);
  inVain.clear();
  await pass(5);
  inVain.add(endpointsKey(SERVER));
  await pass(10);
  expect(ended).toEqual([]);
  await pass(5);
  expect(ended).toEqual(['server']);
});

test('off looks at nobody', async () => {
  const { ended, door, pass, reads } = stage();
  door.limits.tcpUserTimeoutMs = 0;
  await pass(120);
  expect([ended, reads()]).toEqual([[], 0]);
});
