/**
 * What a global setup tells the test files about the cluster they share. Plain data: it crosses
 * from the process that runs the servers to those that run the tests.
 */
import type { ServerAddress } from '../../src/demo/connect.ts';
import type { PostgresBinaries } from '../../src/demo/postgres-binaries.ts';
import type { Certificate } from './x509.ts';

export interface SharedServer extends ServerAddress {
  readonly name: string;
  readonly dataDir: string;
  readonly logFile: string;
  /** The folder of the Unix socket; '' when there is none. */
  readonly socketDir: string;
  /** The postmaster's. */
  readonly pid: number;
}

export interface SharedCluster {
  /** As Postgres prints it, such as 18.4. */
  readonly version: string;
  readonly majorVersion: number;
  readonly primary: SharedServer;
  readonly replica: SharedServer;
  /** Signed the servers' certificate and `clientCertificate`. */
  readonly authority: Certificate;
  /** For the user `cert_user`. */
  readonly clientCertificate: Certificate;
  /** For a cluster of a test's own, of the same Postgres. */
  readonly binaries: PostgresBinaries;
}

/** A user of the shared cluster and how Postgres asks it to prove itself. */
export interface TestUser {
  readonly user: string;
  readonly password: string;
}

/** Each exists in every shared cluster, may log in to every database, and is no superuser. */
export const TEST_USERS = {
  scram: { user: 'scram_user', password: 'scram password, with = and ,' },
  md5: { user: 'md5_user', password: 'md5-password' },
  cleartext: { user: 'cleartext_user', password: 'cleartext-password' },
  trust: { user: 'trust_user', password: '' },
  /** Over TLS with `clientCertificate` only. */
  certificate: { user: 'cert_user', password: '' },
  /** Over TLS only, with a password. */
  tlsOnly: { user: 'tls_user', password: 'tls-password' },
  /** Refused by pg_hba.conf whatever it says. */
  rejected: { user: 'rejected_user', password: 'rejected-password' },
} as const satisfies Record<string, TestUser>;

/** pg_hba.conf lines for them; scram_user falls through to the cluster's own rule. */
export const TEST_HBA: readonly string[] = [
  'host all md5_user 127.0.0.1/32 md5',
  'host all cleartext_user 127.0.0.1/32 password',
  'host all trust_user 127.0.0.1/32 trust',
  'hostssl all cert_user 127.0.0.1/32 cert',
  'host all cert_user 127.0.0.1/32 reject',
  'hostssl all tls_user 127.0.0.1/32 scram-sha-256',
  'host all tls_user 127.0.0.1/32 reject',
  'host all rejected_user 127.0.0.1/32 reject',
  'local all trust_user trust',
];

declare module 'vitest' {
  export interface ProvidedContext {
    cluster: SharedCluster;
  }
}
