/** argv in, exit code out. The only place that ends the process. */
import { check } from './cli/check.ts';
import { demo } from './cli/demo.ts';
import { run } from './cli/run.ts';
import { serve } from './cli/serve.ts';
import { version } from './cli/version.ts';

const io = {
  out: (text: string): void => void process.stdout.write(`${text}\n`),
  err: (text: string): void => void process.stderr.write(`${text}\n`),
  env: process.env,
};

process.exit(await run(process.argv.slice(2), io, { serve, check, demo, version }));
