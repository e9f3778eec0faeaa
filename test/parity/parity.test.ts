/**
 * What a client hears through a transaction pool is what it hears from Postgres itself, byte for
 * byte, although between its turns others use the servers and it is never on the same one for long.
 * README.md beside this file lists where that is not so, and why.
 */
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { dropDatabase, freshDatabase, query, sharedCluster } from '../support/cluster.ts';
import { type TestSluice, startSluice } from '../support/sluice.ts';
import { type WireLogin, WireClient } from '../support/wire-client.ts';
import { TEST_USERS } from '../support/cluster-facts.ts';
import {
  describe as describeStatement,
  bind,
  execute,
  parse,
  query as say,
} from '../conversation/say.ts';
import { sync } from '../../src/wire/constants.ts';
import { play } from './play.ts';
import { streams } from './streams.ts';

const { user } = TEST_USERS.trust;
const SERVERS = 2;
const OTHERS = 3;

/** Explained in README.md. */
const DIFFERENCES: ReadonlySet<string> = new Set(['extended: prepared by SQL']);

let database: string;
let sluice: TestSluice;
let direct: WireLogin;
let proxied: WireLogin;
let others: Others;

beforeAll(async () => {
  database = await freshDatabase('parity');
  await query('CREATE TABLE parity (id int PRIMARY KEY, v text)', { database });
  await query(`ALTER TABLE parity OWNER TO ${user}`, { database });
  const cluster = sharedCluster();
  sluice = await startSluice(cluster, {
    databases: [database],
    pool: { size: SERVERS, prepared_statements: 4 },
    config: { auth: { method: 'trust' } },
  });
  direct = { host: cluster.primary.host, port: cluster.primary.port, user, database };
  proxied = { host: '127.0.0.1', port: sluice.port, user, database };
  others = new Others(proxied);
  await others.begin();
});

afterAll(async () => {
  await others.end();
  await sluice.stop();
  await dropDatabase(database);
});

/** Clients that use the servers between the turns, and leave them as unlike as they can. */
class Others {
  readonly #login: WireLogin;
  #over = false;
  #clients: Promise<void>[] = [];

  constructor(login: WireLogin) {
    this.#login = login;
  }

  async begin(): Promise<void> {
    const clients = await Promise.all(
      Array.from({ length: OTHERS }, () => WireClient.connect(this.#login)),
    );
    this.#clients = clients.map((client, index) => this.#use(client, index));
  }

  async end(): Promise<void> {
    this.#over = true;
    await Promise.all(this.#clients);
  }

  async #use(client: WireClient, index: number): Promise<void> {
    client.send(say(`SET application_name = 'other ${index}'; SET datestyle = 'Postgres, DMY'`));
    await client.replies();
    for (let round = 0; !this.#over; round = (round + 1) % 7) {
      const name = `a${round}`;
      const text = `SELECT ${index} AS other, ${round}, $1::text`;
      client.send(
        Buffer.concat([
          ...[parse('', text), parse(name, text), describeStatement('S', name)],
          ...[bind('', name, ['x']), execute(''), sync, say(`DEALLOCATE ${name}`)],
        ]),
      );
      await client.replies(2);
    }
    await client.end();
  }
}

async function reset(): Promise<void> {
  await query('TRUNCATE parity', { database });
  await query("INSERT INTO parity SELECT i, 'v' || i FROM generate_series(1, 10) AS i", {
    database,
  });
}

for (const [group, members] of Object.entries(streams)) {
  describe(group, () => {
    for (const [name, stream] of Object.entries(members)) {
      test(name, async () => {
        await reset();
        const expected = await play(direct, stream);
        await reset();
        const heard = await play(proxied, stream);
        // A difference that has gone is to be taken off the list.
        if (DIFFERENCES.has(`${group}: ${name}`)) expect(heard).not.toEqual(expected);
        else expect(heard).toEqual(expected);
      });
    }
  });
}
