/** Everything a client may do next, and how often. */
import type { SoakClient } from '../soak-client.ts';
import { cancel, cancelLate, cancelRace } from './cancels.ts';
import { copyFailed, copyIn, copyOut, copyOutLarge, copyRefused } from './copy.ts';
import { depart } from './departures.ts';
import {
  batches,
  deallocate,
  flushed,
  longBatch,
  misnamed,
  named,
  portal,
  unnamed,
  unnamedTwice,
} from './extended.ts';
import {
  fail,
  large,
  manyInOne,
  nothing,
  notice,
  pipelined,
  readAll,
  readOne,
  transactionInOne,
  write,
} from './plain.ts';
import { pinnedAndFreed, set, show } from './sessions.ts';
import { chained, empty, endless, inOneBatch, transaction } from './transactions.ts';

export type Act = (client: SoakClient) => Promise<void>;

/** Longer than a pause between statements, shorter than a person's. */
async function think(client: SoakClient): Promise<void> {
  await new Promise((resolve) => setTimeout(resolve, client.random.below(250)));
}

const WEIGHTS: readonly (readonly [Act, number])[] = [
  [think, 12],
  [write, 14],
  [readOne, 14],
  [readAll, 6],
  [fail, 4],
  [manyInOne, 5],
  [transactionInOne, 2],
  [nothing, 2],
  [notice, 2],
  [pipelined, 5],
  [large, 1],
  [unnamed, 10],
  [unnamedTwice, 4],
  [named, 14],
  [misnamed, 3],
  [deallocate, 2],
  [batches, 6],
  [flushed, 3],
  [portal, 4],
  [longBatch, 1],
  [transaction, 12],
  [empty, 4],
  [endless, 2],
  [inOneBatch, 3],
  [chained, 1],
  [copyIn, 4],
  [copyFailed, 1],
  [copyRefused, 2],
  [copyOut, 3],
  [copyOutLarge, 1],
  [set, 4],
  [show, 3],
  [pinnedAndFreed, 1],
  [cancel, 2],
  [cancelLate, 2],
  [cancelRace, 2],
  [depart, 5],
];

export const ACTS: ReadonlyMap<string, Act> = new Map(WEIGHTS.map(([act]) => [act.name, act]));

const bag: readonly Act[] = WEIGHTS.flatMap(([act, weight]) => new Array<Act>(weight).fill(act));

export function nextAct(client: SoakClient): Act {
  return client.pick(bag);
}
