/** Plain connections to the servers of a cluster, as the superuser unless told otherwise. */
import { Client, type QueryResult, type QueryResultRow } from 'pg';

/** What a connection needs to know of a server; a `PostgresServer` knows it. */
export interface ServerAddress {
  readonly host: string;
  readonly port: number;
  readonly superuser: string;
  readonly password: string;
}

export interface Login {
  readonly database?: string;
  readonly user?: string;
  readonly password?: string;
}

/** The caller ends the client. */
export async function connect(server: ServerAddress, login: Login = {}): Promise<Client> {
  const client = new Client({
    host: server.host,
    port: server.port,
    database: login.database ?? 'postgres',
    user: login.user ?? server.superuser,
    password: login.password ?? server.password,
    ssl: false,
  });
  // A server that stops while the client is idle is reported here; the next query reports it too.
  client.on('error', () => {});
  await client.connect();
  return client;
}

/** One statement, or several without parameters, on a connection of their own. */
export async function runSql<Row extends QueryResultRow = Record<string, unknown>>(
  server: ServerAddress,
  sql: string,
  login: Login = {},
): Promise<QueryResult<Row>> {
  const client = await connect(server, login);
  try {
    return await client.query<Row>(sql);
  } finally {
    await client.end();
  }
}
