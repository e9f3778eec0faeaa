/**
 * What is written into a data folder before its server starts: postgresql.conf, pg_hba.conf, and
 * the two files that make a copy of it a standby.
 *
 * The data is thrown away with the cluster, so nothing is made to survive a crash of the machine;
 * a crash of Postgres is survived as always, which the tests rely on.
 */
import { appendFile, chown, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import type { Account } from './account.ts';

export type Settings = Readonly<Record<string, string | number | boolean>>;

/** Text in PEM form. */
export interface TlsFiles {
  readonly certificate: string;
  readonly key: string;
  /** Certificates of clients are checked against this one. */
  readonly clientAuthority?: string;
}

const SETTINGS: Settings = {
  fsync: false,
  full_page_writes: false,
  shared_buffers: '64MB',
  max_connections: 200,
  max_prepared_transactions: 20,
  max_wal_senders: 10,
  // Far apart, so that no checkpoint falls into a measurement.
  checkpoint_timeout: '30min',
  max_wal_size: '4GB',
  wal_level: 'replica',
  hot_standby: true,
  // Postgres waits five seconds before it asks again for a primary that was away.
  wal_retrieve_retry_interval: '200ms',
  listen_addresses: '127.0.0.1',
  timezone: 'UTC',
  log_timezone: 'UTC',
  log_line_prefix: '%m [%p] %q%u@%d ',
};

/** Tries the rules of the caller first: pg_hba.conf is decided by the first line that matches. */
export function hbaText(rules: readonly string[]): string {
  return [
    ...rules,
    'local all all scram-sha-256',
    'host replication all 127.0.0.1/32 scram-sha-256',
    'host all all 127.0.0.1/32 scram-sha-256',
    '',
  ].join('\n');
}

/** Lines for postgresql.conf; the later of two settings of one name wins, as in Postgres. */
export function settingsText(settings: Settings): string {
  return Object.entries(settings)
    .map(
      ([name, value]) => `${name} = ${quote(typeof value === 'boolean' ? onOff(value) : value)}\n`,
    )
    .join('');
}

export interface FolderOptions {
  readonly settings: Settings;
  readonly hba: readonly string[];
  readonly tls: TlsFiles | null;
  readonly socketDir: string;
  readonly account: Account | null;
}

export async function configure(dataDir: string, options: FolderOptions): Promise<void> {
  const settings = { ...SETTINGS, unix_socket_directories: options.socketDir };
  let text = settingsText(settings);
  if (options.tls !== null) {
    await writeFor(join(dataDir, 'server.crt'), options.tls.certificate, options.account);
    await writeFor(join(dataDir, 'server.key'), options.tls.key, options.account);
    text += settingsText({ ssl: true, ssl_cert_file: 'server.crt', ssl_key_file: 'server.key' });
    if (options.tls.clientAuthority !== undefined) {
      await writeFor(join(dataDir, 'root.crt'), options.tls.clientAuthority, options.account);
      text += settingsText({ ssl_ca_file: 'root.crt' });
    }
  }
  await appendFile(join(dataDir, 'postgresql.conf'), `\n${text}${settingsText(options.settings)}`);
  await writeFile(join(dataDir, 'pg_hba.conf'), hbaText(options.hba));
}

/** Turns a copy of a primary's folder into a standby that streams through `slot`. */
export async function makeStandby(
  dataDir: string,
  primaryConnection: string,
  slot: string,
  account: Account | null,
): Promise<void> {
  const text = settingsText({ primary_conninfo: primaryConnection, primary_slot_name: slot });
  await appendFile(join(dataDir, 'postgresql.conf'), text);
  await writeFor(join(dataDir, 'standby.signal'), '', account);
}

/** Postgres refuses a private key that others may read, so every file is for its owner only. */
export async function writeFor(path: string, text: string, account: Account | null): Promise<void> {
  await writeFile(path, text, { mode: 0o600 });
  if (account !== null) await chown(path, account.uid, account.gid);
}

function quote(value: string | number): string {
  return `'${String(value).replaceAll("'", "''")}'`;
}

function onOff(value: boolean): string {
  return value ? 'on' : 'off';
}
