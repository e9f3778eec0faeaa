/** The part of the table that says what each service gets. */
import { boolean, choice, name } from '../texts.ts';
import { count, duration } from '../values.ts';
import { match } from './front.ts';
import {
  type Either,
  either,
  type Leaf,
  type Later,
  later,
  leaf,
  list,
  required,
  type Section,
  type Shape,
  section,
} from './shape.ts';

const CONNECTIONS_MAX = 100_000;
const OFF_ONLY = { unless: 'off' };

const perRole = section('Servers for each role of target.', {
  primary: required(count({ min: 1, max: CONNECTIONS_MAX }), { doc: 'On the primary.' }),
  replica: later('On each replica.'),
  analytics: later('On each analytics target.'),
});

const pool = section('How the service shares servers.', {
  mode: leaf(choice(['transaction', 'session', 'statement']), {
    default: 'transaction',
    doc: 'How long a client keeps a server.',
    reload: 'next lease',
  }),
  size: either(
    leaf(count({ min: 1, max: CONNECTIONS_MAX }), {
      default: '20',
      doc: 'The most servers the service holds on one target of one database.',
    }),
    perRole,
  ),
  min: leaf(count({ min: 0, max: CONNECTIONS_MAX }), {
    default: '0',
    doc: 'Servers kept open once they were needed.',
  }),
  max_clients: leaf(count({ min: 1, max: 1_000_000 }), {
    default: '1000',
    doc: 'Clients of the service at one time.',
  }),
  max_queue: leaf(count({ min: 0, max: 1_000_000 }), {
    default: '1000',
    doc: 'Clients waiting for a server at one time; more are refused at once.',
  }),
  queue_timeout: leaf(duration({ off: true }), {
    default: '30s',
    doc: 'How long a client waits for a server.',
  }),
  lifetime: leaf(duration({ off: true }), {
    default: '1h',
    doc: 'A server older than this is closed when it is next idle.',
  }),
  idle_timeout: leaf(duration({ off: true }), {
    default: '10min',
    doc: 'A server idle for longer than this is closed, down to `min`.',
  }),
  check_after: leaf(duration({ off: true }), {
    default: '30s',
    doc: 'A server idle for longer than this is asked whether it lives before it is used; off never asks.',
  }),
  prepared_statements: leaf(count({ min: 0, max: 100_000 }), {
    default: '200',
    doc: 'Prepared statements kept per server; 0 keeps none.',
  }),
  priority: later('Who goes first when servers are short.'),
});

const timeouts = section('How long things may take.', {
  connect: leaf(duration(), {
    default: '5s',
    doc: 'Opening a connection to a server, login included.',
  }),
  statement: later('One statement that reads or writes.', OFF_ONLY),
  ddl: later('One statement that changes the schema.', OFF_ONLY),
  utility: later('One VACUUM, ANALYZE or the like.', OFF_ONLY),
  copy: later('One COPY.', OFF_ONLY),
  transaction: leaf(duration({ off: true }), {
    default: 'off',
    doc: 'One transaction, from BEGIN to its end.',
  }),
  idle_in_transaction: leaf(duration({ off: true }), {
    default: '5min',
    doc: 'A pause between the statements of one transaction.',
  }),
  lock: later('Waiting for one lock.', OFF_ONLY),
  client_idle: leaf(duration({ off: true }), {
    default: 'off',
    doc: 'A client that does nothing, outside of a transaction.',
  }),
});

export const defaults = section('What a service gets where it says nothing.', { pool, timeouts });

/** The same keys in a service: nothing given means what `defaults` say. */
type Inherited<N> =
  N extends Leaf<infer T>
    ? Leaf<T | null>
    : N extends Either<infer T, infer S>
      ? Either<T | null, S>
      : N extends Later
        ? Later
        : never;

function inherited<S extends Shape>(
  from: string,
  base: Section<S>,
  shown: { readonly [K in keyof S]?: string },
): Section<{ readonly [K in keyof S]: Inherited<S[K]> }> {
  const inherit = (key: string, node: Leaf<unknown>): Leaf<unknown> => ({
    ...node,
    default: null,
    inherits: `${from}.${key}`,
    shown: shown[key] ?? null,
  });
  const keys: Record<string, unknown> = {};
  for (const [key, node] of Object.entries(base.keys)) {
    if (node.kind === 'leaf') keys[key] = inherit(key, node);
    else if (node.kind === 'either') keys[key] = { ...node, leaf: inherit(key, node.leaf) };
    else keys[key] = node;
  }
  return { ...base, keys: keys as { readonly [K in keyof S]: Inherited<S[K]> } };
}

export const services = list(
  section('One service.', {
    name: required(name, {
      doc: 'The name in logs, metrics, errors and the console.',
      shown: 'orders',
    }),
    match: list(match, 'Which clients belong to the service; of a list of maps any may hold.'),
    pool: inherited('defaults.pool', pool, {
      size: '20',
      max_clients: '2000',
      queue_timeout: '3s',
    }),
    timeouts: inherited('defaults.timeouts', timeouts, {
      transaction: '30s',
      idle_in_transaction: '10s',
    }),
    pin: leaf(choice(['allow', 'refuse']), {
      default: 'allow',
      doc: 'Whether a session may keep its server for state that a pool cannot carry.',
    }),
    cancel_orphans: leaf(boolean, {
      default: 'true',
      doc: "Whether a vanished client's running statement is cancelled.",
    }),
    mode: later('Whether timeouts and limits are enforced or only observed.'),
    may_become: later('Services a client may change to between transactions.'),
    claim: later('Names and tags by which a client changes to this service.'),
    routing: later('Which targets reads go to.'),
    limits: later('Rates, running statements, result sizes.'),
  }),
  'The first that matches a client has it. `default` is always there, last, and matches everybody.',
);
