/**
 * The two ways every driver is tried over: in the clear, and with TLS on both sides where nothing
 * else is allowed and every certificate is checked. Sluice and the servers ask for SCRAM on both.
 */
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { makeCertificates } from './certs.ts';
import { sharedCluster, type Target } from './cluster.ts';
import { type AnyCluster, startSluice, type TestSluice } from './sluice.ts';
import type { SluiceOptions } from './sluice-config.ts';

export const WAYS = ['in the clear', 'with TLS on both sides'] as const;
export type Way = (typeof WAYS)[number];

export interface OpenWay {
  readonly sluice: TestSluice;
  /** The `ssl` option of `pg` and `postgres`. */
  readonly ssl: false | { readonly ca: string };
  /** For libpq's connection strings. */
  readonly parameters: string;
  target(login?: Partial<Target>): Target;
  close(): Promise<void>;
}

export async function openWay(
  way: Way,
  options: SluiceOptions = {},
  cluster: AnyCluster = sharedCluster(),
): Promise<OpenWay> {
  if (way === 'in the clear') {
    const sluice = await startSluice(cluster, options);
    return {
      sluice,
      ssl: false,
      parameters: 'sslmode=disable',
      target: sluice.target,
      close: sluice.stop,
    };
  }
  const certificates = makeCertificates();
  const serverAuthority = join(certificates.folder, 'server-authority.crt');
  writeFileSync(serverAuthority, sharedCluster().authority.certificate);
  const { certificatePath: cert, keyPath: key } = certificates.server;
  const tls = { mode: 'require', cert, key };
  const sluice = await startSluice(cluster, {
    ...options,
    serverTls: { mode: 'verify-full', ca: serverAuthority },
    config: { listen: [{ host: '127.0.0.1', port: 0, tls }], ...options.config },
  });
  const { certificate, certificatePath } = certificates.authority;
  return {
    sluice,
    ssl: { ca: certificate },
    parameters: `sslmode=verify-full&sslrootcert=${encodeURIComponent(certificatePath)}`,
    target: sluice.target,
    close: async () => {
      await sluice.stop();
      certificates.remove();
    },
  };
}
