/**
 * A process that runs the demo as the command line does, with a stand-in for the proxy: bytes go to
 * the primary unchanged. What is tested is the demo, not Sluice.
 */
import { readFileSync } from 'node:fs';
import { type AddressInfo, connect, createServer } from 'node:net';
import { dirname, join } from 'node:path';
import { type DemoProxy, runDemo } from '../../src/demo/demo.ts';

const controller = new AbortController();
for (const name of ['SIGINT', 'SIGTERM'] as const) process.once(name, () => controller.abort());

async function startStandIn(configPath: string): Promise<DemoProxy> {
  // Line 4 of postmaster.pid is the port.
  const postmaster = readFileSync(join(dirname(configPath), 'primary', 'postmaster.pid'), 'utf8');
  const primaryPort = Number(postmaster.split('\n')[3]);
  const server = createServer((client) => {
    const upstream = connect(primaryPort, '127.0.0.1');
    client.pipe(upstream).pipe(client);
    for (const socket of [client, upstream]) socket.on('error', () => socket.destroy());
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const { port } = server.address() as AddressInfo;
  return {
    port,
    httpPort: 0,
    stop: () => new Promise((resolve) => server.close(() => resolve())),
  };
}

const print = (line: string): void => {
  process.stdout.write(`${line}\n`);
};
const options = { orders: 1000, port: 0, exit: process.argv.includes('--exit') };
process.exitCode = await runDemo(options, { print, signal: controller.signal }, startStandIn);
