/**
 * Starts the cluster the test files of one run share, and hands its facts to them. It is a primary
 * and a streaming replica with TLS on, and one user for every way of proving who one is.
 */
import type { TestProject } from 'vitest/node';
import { type Cluster, startCluster } from '../../src/demo/cluster.ts';
import { runSql } from '../../src/demo/connect.ts';
import type { PostgresBinaries } from '../../src/demo/postgres-binaries.ts';
import type { PostgresServer } from '../../src/demo/postgres-server.ts';
import { type SharedServer, TEST_HBA, TEST_USERS } from './cluster-facts.ts';
import { certificateAuthority, issueCertificate } from './x509.ts';

/** Answers the teardown, as vitest wants it. */
export async function shareCluster(
  project: TestProject,
  binaries: PostgresBinaries,
): Promise<() => Promise<void>> {
  const authority = certificateAuthority('Sluice test authority');
  const server = issueCertificate(authority, 'localhost', ['localhost', '127.0.0.1']);
  const cluster = await startCluster({
    binaries,
    replicas: 1,
    hba: TEST_HBA,
    tls: {
      certificate: server.certificate,
      key: server.key,
      clientAuthority: authority.certificate,
    },
  });
  await createUsers(cluster);
  await cluster.caughtUp();
  project.provide('cluster', {
    version: cluster.version,
    majorVersion: cluster.majorVersion,
    primary: facts(cluster.primary),
    replica: facts(cluster.replicas[0]!),
    authority,
    clientCertificate: issueCertificate(authority, TEST_USERS.certificate.user),
    binaries,
  });
  return () => cluster.stop();
}

async function createUsers(cluster: Cluster): Promise<void> {
  const statements: string[] = [];
  for (const { user, password } of Object.values(TEST_USERS)) {
    const encryption = user === TEST_USERS.md5.user ? 'md5' : 'scram-sha-256';
    statements.push(`SET password_encryption = '${encryption}'`);
    statements.push(`CREATE ROLE ${user} LOGIN${password === '' ? '' : ` PASSWORD '${password}'`}`);
  }
  await runSql(cluster.primary, statements.join(';'));
}

function facts(server: PostgresServer): SharedServer {
  const { name, host, port, superuser, password, dataDir, logFile, socketDir, pid } = server;
  return { name, host, port, superuser, password, dataDir, logFile, socketDir, pid };
}
