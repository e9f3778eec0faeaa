/** The part of the table that faces servers. */
import { serverUrl, TLS_MODES } from '../server-url.ts';
import { address, choice, identifier, name, password, pem } from '../texts.ts';
import { count } from '../values.ts';
import { either, later, leaf, list, named, required, section } from './shape.ts';

export const servers = named(
  'Physical servers by name, so that the shares of many databases on one can be added up.',
  name,
  section('One server.', {
    address: required(address, {
      doc: 'host:port, or the directory of a unix socket. Without a port it is 5432.',
      reload: 'next lease',
      shown: '"127.0.0.1:5432"',
    }),
    max_connections: leaf(count({ min: 1, max: 1_000_000 }), {
      default: null,
      doc: "The server's own max_connections; a warning says when the pools can exceed it.",
      shown: '100',
    }),
    reserve: leaf(count({ min: 0, max: 1_000_000 }), {
      default: '0',
      doc: 'How many of those are not for Sluice.',
      shown: '10',
    }),
    tls: section('TLS towards the server.', {
      mode: leaf(choice(TLS_MODES), {
        default: 'prefer',
        doc: 'As sslmode of libpq.',
        reload: 'next lease',
      }),
      ca: leaf(pem, {
        default: null,
        sample: 'ca.pem',
        doc: "Authorities that sign the server's certificate; the system's where not given.",
        reload: 'next lease',
      }),
      cert: leaf(pem, {
        default: null,
        sample: 'client.pem',
        doc: 'The certificate Sluice shows to the server.',
        reload: 'next lease',
      }),
      key: leaf(pem, {
        default: null,
        sample: 'client.key',
        doc: "That certificate's private key.",
        reload: 'next lease',
      }),
    }),
  }),
  { shown: 'db1' },
);

const target = section('One place where the database is.', {
  server: leaf(name, {
    default: null,
    doc: 'One of `servers`.',
    reload: 'next lease',
    shown: 'db1',
  }),
  name: leaf(name, {
    default: null,
    sample: 'primary',
    doc: 'The name in logs, metrics and the console; the role where none is given.',
    reload: 'next lease',
  }),
  url: leaf(serverUrl, {
    default: null,
    doc: 'The short form, in place of `server`.',
    reload: 'next lease',
  }),
  database: leaf(identifier, {
    default: null,
    doc: "The database's name on that server, where it differs.",
    reload: 'next lease',
  }),
  role: leaf(choice(['primary'], { later: ['replica', 'analytics'] }), {
    default: 'primary',
    doc: 'What the target is for.',
    reload: 'next lease',
  }),
  max_lag: later('How far behind the primary the target may be.'),
  weight: later('Its share of the reads among its like.'),
});

export const databases = named(
  'Databases by the name clients ask for.',
  identifier,
  section('One database.', {
    login: either(
      leaf(choice(['client']), {
        default: 'client',
        doc: "Who Sluice is on the server: the client's own user, or in a map one account for all.",
        reload: 'next lease',
      }),
      section('One account for all clients.', {
        user: required(identifier, { doc: 'The user.', reload: 'next lease' }),
        password: leaf(password, {
          default: null,
          doc: "The user's password.",
          reload: 'next lease',
        }),
      }),
    ),
    targets: list(target, 'Where the database is. Exactly one primary in this version.'),
    control: later('The account for health, catalog and kill.'),
  }),
  { shown: 'shop' },
);
