import { describe, expect, test } from 'vitest';
import { commands, LATER_COMMANDS } from '../../../src/cli/commands.ts';
import { type Io, type Runners, run } from '../../../src/cli/run.ts';
import { packageVersion, version } from '../../../src/cli/version.ts';

interface Outcome {
  readonly code: number;
  readonly out: string;
  readonly err: string;
  readonly called: readonly (readonly [string, unknown])[];
}

async function outcomeOf(line: string): Promise<Outcome> {
  const out: string[] = [];
  const err: string[] = [];
  const called: (readonly [string, unknown])[] = [];
  const io: Io = { out: (text) => out.push(text), err: (text) => err.push(text), env: {} };
  const record = (name: string) => async (flags: unknown) => {
    called.push([name, flags]);
    return 0;
  };
  const runners: Runners = {
    serve: record('serve'),
    check: record('check'),
    demo: record('demo'),
    version,
  };
  const argv = line === '' ? [] : line.split(' ');
  const code = await run(argv, io, runners);
  return { code, out: out.join('\n'), err: err.join('\n'), called };
}

describe('a command line that can be read', () => {
  test.each([
    ['serve -c a.yaml', 'serve', { config: 'a.yaml', 'last-good': null }],
    ['serve --config a.yaml', 'serve', { config: 'a.yaml', 'last-good': null }],
    ['serve --config=a.yaml', 'serve', { config: 'a.yaml', 'last-good': null }],
    ['check -ca.yaml', 'check', { config: 'a.yaml', connect: false }],
    ['demo', 'demo', { rows: null, port: null, exit: false }],
    ['demo --exit --rows 1000 --port=0', 'demo', { rows: 1000, port: 0, exit: true }],
  ])('%s', async (line, command, flags) => {
    expect(await outcomeOf(line)).toEqual({
      code: 0,
      out: '',
      err: '',
      called: [[command, flags]],
    });
  });

  test('version and --version are one', async () => {
    const { out, code } = await outcomeOf('version');
    expect(code).toBe(0);
    expect(out).toBe(
      `sluice ${packageVersion()} (node ${process.version}, ${process.platform}-${process.arch})`,
    );
    expect(await outcomeOf('--version')).toMatchObject({ out, code });
  });
});

describe('a command line that cannot be read', () => {
  test.each([
    ['', 'a command is needed', 'sluice --help'],
    ['chekc', 'unknown command "chekc" (did you mean "check"?)', 'sluice --help'],
    ['constructor', 'unknown command "constructor"', 'sluice --help'],
    ['-c a.yaml', 'a command is needed before -c', 'sluice --help'],
    ['serve', 'serve: -c, --config FILE is needed', 'sluice serve --help'],
    ['serve -c', 'serve: -c, --config FILE needs its value', 'sluice serve --help'],
    ['serve --config=', 'serve: -c, --config FILE needs its value', 'sluice serve --help'],
    ['serve -c --help', 'serve: -c, --config FILE needs its value', 'sluice serve --help'],
    ['serve -c a -c b', 'serve: --config is there twice', 'sluice serve --help'],
    ['serve -c a b', 'serve: "b" is one word too many', 'sluice serve --help'],
    [
      'serve --confg a',
      'serve: unknown flag --confg (did you mean "--config"?)',
      'sluice serve --help',
    ],
    ['serve -x', 'serve: unknown flag -x', 'sluice serve --help'],
    [
      'check --connect -c a',
      'check: --connect is not available in this version',
      'sluice check --help',
    ],
    ['demo --exit=yes', 'demo: --exit takes no value', 'sluice demo --help'],
    [
      'demo --port 65536',
      'demo: "65536" is not a whole number from 0 to 65535, which --port takes',
      'sluice demo --help',
    ],
    ['help nothing', 'unknown command "nothing"', 'sluice --help'],
    ['version 1', 'version: "1" is one word too many', 'sluice version --help'],
  ])('%j', async (line, message, advice) => {
    expect(await outcomeOf(line)).toEqual({
      code: 64,
      out: '',
      err: `sluice: ${message}\nTry \`${advice}\`.`,
      called: [],
    });
  });

  test.each(LATER_COMMANDS)('%s is refused for what it is', async (command) => {
    const { code, err } = await outcomeOf(command);
    expect(code).toBe(64);
    expect(err).toContain(`${command} is not available in this version`);
  });
});

describe('help', () => {
  test('lists every command, and none of a later version', async () => {
    const { code, out } = await outcomeOf('--help');
    expect(code).toBe(0);
    const listed = [...out.matchAll(/^ {2}(\w+) {2}/gm)].map((match) => match[1]);
    expect(listed).toEqual(Object.keys(commands));
    expect(await outcomeOf('help')).toMatchObject({ out });
    expect(await outcomeOf('-h')).toMatchObject({ out });
  });

  test('of a command shows its flags', async () => {
    const { code, out } = await outcomeOf('check --help');
    expect(code).toBe(0);
    expect(out.split('\n')).toEqual([
      'Usage: sluice check -c FILE',
      '',
      'Say whether a configuration file is in order.',
      'Prints every problem with its place in the file. Exit code 0 when there is none, else 78.',
      '',
      'Flags:',
      '  -c, --config FILE  the configuration file (needed)',
      '  -h, --help         print this',
    ]);
    expect(await outcomeOf('help check')).toMatchObject({ code: 0, out });
    expect(await outcomeOf('check -h')).toMatchObject({ code: 0, out });
  });

  test('of a command without flags it needs shows which may be left out', async () => {
    const { out } = await outcomeOf('demo --help');
    expect(out).toContain('Usage: sluice demo [--rows N] [--port PORT] [--exit]\n');
  });

  test.each(Object.keys(commands))('of %s fits a terminal', async (command) => {
    const { out } = await outcomeOf(`${command} --help`);
    expect(Math.max(...out.split('\n').map((line) => line.length))).toBeLessThanOrEqual(100);
  });
});

test('a command that breaks ends with 1 and says where', async () => {
  const err: string[] = [];
  const io: Io = { out: () => undefined, err: (text) => err.push(text), env: {} };
  const broken = async () => {
    throw new Error('out of order');
  };
  const runners: Runners = { serve: broken, check: broken, demo: broken, version: broken };
  expect(await run(['serve', '-c', 'a'], io, runners)).toBe(1);
  expect(err.join('\n')).toMatch(/^sluice: Error: out of order\n +at /);
});
