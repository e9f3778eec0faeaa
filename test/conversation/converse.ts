/**
 * Plays a script and compares what was said with the golden text of the test it is called in:
 * `golden/<test file>/<name of the test>.txt`. `vitest -u` writes it; read it before you keep it.
 *
 * The script is then played again with every chunk that reaches the program cut up: into single
 * bytes, and at random places. No client may notice, and the same work must be committed. (What
 * servers are sent may differ: more or less of a batch that has failed is passed on to be ignored.)
 */
import { basename } from 'node:path';
import { expect } from 'vitest';
import { fuzzSeed, Random } from '../support/random.ts';
import { Stage, type StageOptions } from './stage.ts';

export type Script = (stage: Stage) => void;

/** How often a script is played with random cuts; FUZZ_ROUNDS asks for more. */
const ROUNDS = Number(process.env['FUZZ_ROUNDS'] ?? 6);

const LONG_CHUNK_BYTES = 4_000;

const seed = fuzzSeed();

export async function converse(script: Script, options: StageOptions = {}): Promise<void> {
  const whole = play(script, options, () => [], false);
  await expect(`${whole.transcript.text()}\n`).toMatchFileSnapshot(goldenPath());
  const expected = outcome(whole);
  const bytewise = play(script, options, everyByte, true);
  expect(outcome(bytewise), 'cut at every byte').toEqual(expected);
  for (let round = 0; round < ROUNDS; round++) {
    const random = new Random(seed + round);
    const cut = (bytes: number): number[] => random.cuts(bytes, random.below(4));
    const stage = play(script, options, cut, random.below(2) === 0);
    expect(outcome(stage), `FUZZ_SEED=${seed}, round ${round}`).toEqual(expected);
  }
}

/** Beside the test, named after it. */
function goldenPath(): string {
  const { testPath, currentTestName } = expect.getState();
  const file = basename(testPath ?? '', '.test.ts');
  const name = (currentTestName ?? '').replaceAll(/[^a-zA-Z0-9]+/g, '-').toLowerCase();
  return `${import.meta.dirname}/golden/${file}/${name}.txt`;
}

/** A long chunk is cut at its ends only. */
function everyByte(bytes: number): number[] {
  const all = Array.from({ length: bytes - 1 }, (_, index) => index + 1);
  return bytes <= LONG_CHUNK_BYTES ? all : [...all.slice(0, 100), ...all.slice(-100)];
}

function play(
  script: Script,
  options: StageOptions,
  cut: (bytes: number) => readonly number[],
  shortTurns: boolean,
): Stage {
  const stage = new Stage(options);
  stage.wires.cut = cut;
  stage.wires.shortTurns = shortTurns;
  script(stage);
  const broken = stage.log.lines.find(({ message }) =>
    ['session failed', 'login failed', 'reading from a server failed'].includes(message),
  );
  if (broken !== undefined) throw broken.attributes['error'];
  return stage;
}

/** What clients have said and heard, each by itself, and what has been committed. */
function outcome(stage: Stage): Record<string, readonly string[]> {
  const heard: Record<string, string[]> = {};
  for (const line of stage.transcript.lines) {
    const name = line.slice(0, line.indexOf(' '));
    if (name.startsWith('server')) continue;
    heard[name] ??= [];
    heard[name].push(line);
  }
  return { ...heard, committed: stage.servers.flatMap(({ committed }) => committed).sort() };
}
