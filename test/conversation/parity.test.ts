/**
 * Clients that share a server through Sluice hear, message by message, what they would hear from a
 * server of their own; and the same work is committed, and no other.
 */
import { expect, test } from 'vitest';
import { fuzzSeed, Random } from '../support/random.ts';
import { ModelPostgres } from './model-postgres.ts';
import { ending, isFair, ProgramMaker, type Step } from './programs.ts';
import * as say from './say.ts';
import { ScriptedPeer } from './scripted-peer.ts';
import { Stage, type StageOptions } from './stage.ts';
import { Transcript } from './transcript.ts';
import { Wires } from './wires.ts';

const CLIENTS = ['alice', 'bob', 'carol'];
const PROGRAMS = Number(process.env['FUZZ_ROUNDS'] ?? 60);
const seed = fuzzSeed();

interface Outcome {
  readonly heard: Readonly<Record<string, readonly string[]>>;
  readonly committed: readonly string[];
  /** A server had enough of its client: no program is made to do that, but one cut short may. */
  readonly left: boolean;
}

/** Each client with a server of its own and nothing in between. */
function direct(steps: readonly Step[]): Outcome {
  const wires = new Wires();
  const transcript = new Transcript();
  const servers: ModelPostgres[] = [];
  const clients = CLIENTS.map((name, index) => {
    const [far, near] = wires.pair();
    const server = new ScriptedPeer('server', `${name}'s server`, far, new Transcript());
    servers.push(new ModelPostgres(server, index + 1));
    const client = new ScriptedPeer('client', name, near, transcript);
    client.sendFirstPacket(say.startup({ user: 'app', database: 'shop' }));
    return client;
  });
  transcript.clear();
  for (const { client, messages } of steps) clients[client]?.send(...messages);
  for (const client of clients) client.send(...ending);
  return outcome(transcript, servers);
}

function proxied(steps: readonly Step[], random: Random, options: StageOptions): Outcome {
  const stage = new Stage(options);
  const clients = CLIENTS.map((name) => stage.client(name));
  stage.wires.cut = (bytes) => random.cuts(bytes, random.below(3));
  stage.wires.shortTurns = random.below(2) === 0;
  for (const { client, messages } of steps) clients[client]?.send(...messages);
  for (const client of clients) client.send(...ending);
  const errors = stage.log.lines.filter(({ level }) => level === 'error' || level === 'warn');
  expect(errors).toEqual([]);
  if (options.pool?.mode !== 'session') {
    expect(stage.service.idle.length, 'sessions at rest').toBe(CLIENTS.length);
    expect(stage.pool.idle.length, 'servers at rest').toBe(stage.pool.size);
  }
  return outcome(stage.transcript, stage.servers);
}

function outcome(transcript: Transcript, servers: readonly ModelPostgres[]): Outcome {
  const heard: Record<string, string[]> = {};
  for (const name of CLIENTS) {
    heard[name] = transcript.text(name).split('\n').filter(isReply).map(withoutNames);
  }
  const left = transcript.lines.some((line) => line.endsWith('was left'));
  return { heard, left, committed: servers.flatMap(({ committed }) => [...committed]).sort() };
}

/**
 * A Bind that was sent before it was known that its Parse had been skipped is refused by the server
 * under the server's name for the statement: the one place where that name shows.
 */
function withoutNames(line: string): string {
  return line.replace(/prepared statement "\w+" does/, 'prepared statement does');
}

function isReply(line: string): boolean {
  return / B /.test(line);
}

/** What is left of a program when nothing more can be taken from it without its passing. */
function smallest(program: readonly Step[], fails: (steps: readonly Step[]) => boolean): Step[] {
  let steps = [...program];
  for (let shrunk = true; shrunk; ) {
    shrunk = false;
    for (let index = steps.length - 1; index >= 0; index--) {
      const { client, messages } = steps[index] as Step;
      const without = [...steps.slice(0, index), ...steps.slice(index + 1)];
      const shorter = messages.map((_, at) => [
        ...steps.slice(0, index),
        { client, messages: [...messages.slice(0, at), ...messages.slice(at + 1)] },
        ...steps.slice(index + 1),
      ]);
      const next = [without, ...shorter].find((candidate) => fails(candidate));
      if (next === undefined) continue;
      steps = next;
      shrunk = true;
    }
  }
  return steps;
}

function differs(steps: readonly Step[], random: Random, options: StageOptions): boolean {
  const expected = direct(steps);
  if (expected.left || !isFair(steps)) return false;
  try {
    expect(proxied(steps, random, options)).toEqual(expected);
    return false;
  } catch {
    return true;
  }
}

test.each([
  { name: 'one server', options: { pool: { size: 1 } } },
  { name: 'two servers', options: { pool: { size: 2 } } },
  { name: 'little room for statements', options: { pool: { size: 2, preparedStatements: 1 } } },
  { name: 'session pooling', options: { pool: { size: 3, mode: 'session' } } },
] as const)(`three clients on $name (FUZZ_SEED=${seed})`, ({ options }) => {
  for (let program = 0; program < PROGRAMS; program++) {
    const random = (): Random => new Random(seed + program);
    const steps = new ProgramMaker(random()).make(CLIENTS.length, 4 + random().below(12));
    if (!differs(steps, random(), options)) continue;
    const small = smallest(steps, (candidate) => differs(candidate, random(), options));
    const how = `program ${program}, as it goes through:\n${listing(small, options)}\n\n`;
    let got: unknown;
    try {
      got = proxied(small, random(), options);
    } catch (error) {
      got = error;
    }
    expect(got, how).toEqual(direct(small));
  }
});

/** The program as it goes through Sluice, for whoever has to find out why. */
function listing(steps: readonly Step[], options: StageOptions): string {
  const stage = new Stage(options);
  const clients = CLIENTS.map((name) => stage.client(name));
  for (const { client, messages } of steps) {
    stage.note('step');
    clients[client]?.send(...messages);
  }
  for (const client of clients) client.send(...ending);
  return stage.transcript.text();
}
