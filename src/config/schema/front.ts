/** The part of the table that faces clients and operators. */
import {
  boolean,
  choice,
  glob,
  host,
  identifier,
  name,
  network,
  password,
  pem,
  secret,
  text,
  textFile,
  userPassword,
} from '../texts.ts';
import { count, duration, port, portOrOff, size } from '../values.ts';
import { items, later, leaf, list, named, section } from './shape.ts';

export const listen = list(
  section('An address clients connect to.', {
    host: leaf(host, {
      default: '127.0.0.1',
      doc: 'The address to listen on; 0.0.0.0 or :: for all of them.',
      shown: '127.0.0.1',
    }),
    port: leaf(port(), {
      default: '6432',
      doc: 'The port to listen on.',
      shown: '6432',
    }),
    service: leaf(name, {
      default: null,
      sample: 'reports',
      doc: 'A port as identity: whoever comes in here belongs to this service.',
    }),
    tls: section('TLS towards clients.', {
      mode: leaf(choice(['disable', 'prefer', 'require']), {
        default: null,
        doc: 'Whether clients may or must use TLS; prefer where a certificate is given, else disable.',
      }),
      cert: leaf(pem, {
        default: null,
        doc: 'The certificate, with its chain, that clients are shown.',
      }),
      key: leaf(pem, {
        default: null,
        sample: 'server.key',
        doc: "The certificate's private key.",
      }),
      client_ca: leaf(pem, {
        default: null,
        sample: 'client-ca.pem',
        doc: 'Authorities of client certificates. With it, clients are asked for one.',
      }),
    }),
    proxy_protocol: leaf(boolean, {
      default: 'false',
      doc: 'Whether every connection begins with a PROXY protocol header (version 2), as balancers send it.',
    }),
    reuse_port: leaf(boolean, {
      default: 'false',
      doc: 'Lets another process listen on the same port, so that a new version can take over.',
      reload: 'restart',
    }),
  }),
  'Where clients connect. Without any, 127.0.0.1:6432.',
  { absent: 'one default item' },
);

export const http = section('Metrics and health over HTTP: /metrics /healthz /readyz /status.', {
  host: leaf(host, {
    default: '127.0.0.1',
    doc: 'The address to listen on; beyond loopback a token is needed.',
  }),
  port: leaf(portOrOff(), {
    default: '9632',
    doc: 'The port to listen on, or off for no HTTP at all.',
  }),
  token: leaf(secret, {
    default: null,
    doc: 'The bearer token for all but /healthz and /readyz.',
  }),
});

export const log = section('What is written to standard output.', {
  level: leaf(choice(['trace', 'debug', 'info', 'warn', 'error', 'fatal', 'silent']), {
    default: 'info',
    doc: 'The least severe level that is written.',
  }),
  format: leaf(choice(['json', 'pretty'], { later: ['ecs'] }), {
    default: 'json',
    doc: 'One JSON object per line, or lines for people.',
  }),
  slow_statement: later('Log statements that take longer.'),
});

export const fleet = section('Which of many processes this one is.', {
  instance: leaf(text, {
    default: null,
    sample: `"\${HOSTNAME}"`,
    doc: "The name of this process among its like; the machine's host name where none is given.",
    reload: 'restart',
  }),
  max_instances: later('How many processes share the sizes and rates below.'),
  shares: later('Whether sizes and rates are divided among the processes.'),
});

export const drain = section('What happens between SIGTERM and the end.', {
  ready_off: leaf(duration({ off: true }), {
    default: '5s',
    doc: 'How long /readyz says no before the listeners close, for balancers to notice.',
  }),
  transactions: leaf(duration(), {
    default: '30s',
    doc: 'How long open transactions may take to end.',
  }),
  clients: leaf(duration({ off: true }), {
    default: 'off',
    doc: 'How long clients are served on when nobody new gets in, before the idle ones are closed.',
  }),
});

export const auth = section('Who may come in.', {
  method: leaf(choice(['scram-sha-256', 'md5', 'cert', 'trust']), {
    default: 'scram-sha-256',
    doc: 'How clients prove who they are; trust asks for nothing. Under TLS scram-sha-256 includes -PLUS.',
    shown: 'scram-sha-256',
  }),
  allow_trust_on_network: leaf(boolean, {
    default: 'false',
    doc: 'Allows the method trust on listeners that other machines can reach.',
  }),
  users: named(
    'Users by name, with what they may do.',
    identifier,
    section('One user.', {
      password: items(
        userPassword,
        'Passwords that let the user in, or what Postgres stores of them (SCRAM-SHA-256$… or md5…). The first plain one is also what Sluice logs in to servers with.',
        { shown: 'change-me' },
      ),
      databases: items(
        identifier,
        'The databases the user may open; all of them where this is left out.',
        {
          shown: '[shop]',
        },
      ),
      clients: items(network, 'The networks the user may come from; any where this is left out.', {
        shown: '[127.0.0.1, "::1", 10.1.0.0/16]',
      }),
    }),
    { shown: 'orders' },
  ),
  query: section('Users that are not listed above, looked up on a server.', {
    database: leaf(identifier, {
      default: null,
      sample: 'shop',
      doc: 'The one of `databases` that is asked; without it nobody is looked up.',
    }),
    user: leaf(identifier, {
      default: null,
      sample: 'sluice_auth',
      doc: "The account that asks; the database's own `login` account where none is given.",
    }),
    password: leaf(password, { default: null, doc: "That account's password." }),
    sql: leaf(text, {
      default: 'SELECT usename, passwd, valuntil FROM pg_catalog.pg_shadow WHERE usename = $1',
      doc: 'Asked with the name as $1, search_path being pg_catalog. Columns: name, stored password, and VALID UNTIL, which may be left out.',
    }),
    ttl: leaf(duration(), {
      default: '30s',
      doc: 'How long an answer is used; a wrong password shortens it to 1s.',
    }),
    outage: leaf(duration({ off: true }), {
      default: '1h',
      doc: 'How much longer an answer is used while the server cannot be asked.',
    }),
    size: leaf(count({ min: 1, max: 100 }), {
      default: '2',
      doc: 'The most connections that ask at one time.',
    }),
  }),
  hba_file: leaf(textFile, {
    default: null,
    sample: 'pg_hba.conf',
    doc: 'A file in the form of pg_hba.conf that decides in place of `method`.',
  }),
  failure_delay: leaf(duration({ off: true }), {
    default: '500ms',
    doc: 'How long a wrong password waits for its answer, give or take a tenth.',
  }),
});

export const limits = section('Limits of the whole process.', {
  max_clients: leaf(count({ min: 1, max: 1_000_000 }), {
    default: '10k',
    doc: 'Clients at one time, those still logging in included.',
  }),
  login_timeout: leaf(duration({ off: true }), {
    default: '30s',
    doc: 'How long a client may take from its first byte to the end of its login.',
  }),
  tcp_user_timeout: leaf(duration({ off: true }), {
    default: '30s',
    doc: 'A peer that does not acknowledge for this long what it is sent counts as lost. Linux only.',
  }),
  max_logins: leaf(count({ min: 1, max: 1_000_000 }), {
    default: '5k',
    doc: 'Clients that are logging in at one time; more are refused at once.',
  }),
  message_bytes: leaf(size({ min: 1024, max: 1024 ** 3 }), {
    default: '1GiB',
    doc: 'A longer protocol message from a client closes its connection. Postgres stops at 1GiB.',
  }),
});

/** Used by `services[].match`; kept here because these keys are about clients. */
export const match = section('Which clients; all keys that are given must hold.', {
  users: items(glob, 'Users, as globs.', {
    shown: '[orders]',
  }),
  databases: items(glob, 'Databases, as globs.', { sample: 'shop' }),
  listeners: items(glob, 'Listeners, as globs over host:port.', { sample: '*:6433' }),
  clients: items(network, 'Networks the client may come from.'),
  certs: items(glob, "Names in the client's certificate, as globs.", { sample: '"*.example.com"' }),
});
