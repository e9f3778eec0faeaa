/** `sluice version`. */
import { readFileSync } from 'node:fs';
import { ExitCode } from './exit-codes.ts';
import type { Io } from './run.ts';

export async function version(_flags: object, io: Io): Promise<number> {
  const { platform, arch, version: node } = process;
  io.out(`sluice ${packageVersion()} (node ${node}, ${platform}-${arch})`);
  return ExitCode.Ok;
}

/** As package.json has it, which stands two steps up in a clone and in the published package. */
export function packageVersion(): string {
  const manifest = readFileSync(new URL('../../package.json', import.meta.url), 'utf8');
  return (JSON.parse(manifest) as { version: string }).version;
}
