/**
 * A process that starts a cluster, says where it is, and waits to be killed. The binaries come as
 * JSON in the first argument.
 */
import { startCluster } from '../../src/demo/cluster.ts';
import type { PostgresBinaries } from '../../src/demo/postgres-binaries.ts';

const binaries = JSON.parse(process.argv[2]!) as PostgresBinaries;
const cluster = await startCluster({ binaries, replicas: 1 });
const pids = [cluster.primary, ...cluster.replicas].map((server) => server.pid);
process.stdout.write(`${JSON.stringify({ folder: cluster.folder, pids })}\n`);
