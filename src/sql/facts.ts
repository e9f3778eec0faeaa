/**
 * The scratch record a text's facts are collected in while it is read, one for the whole process:
 * reading is synchronous, and `Statement` copies what it keeps.
 */
import type { PinReason } from './pin-reason.ts';
import type { Kind } from './statement-kind.ts';

/** How far the proxy itself may answer a transaction statement, before any server has seen it. */
export const Plain = { None: 0, Begin: 1, StartTransaction: 2, Commit: 3, Rollback: 4 } as const;
export type Plain = (typeof Plain)[keyof typeof Plain];

/** What `scan` noticed on its way through one statement; bits of `Facts.saw`. */
export const Saw = {
  /** INTO where a SELECT makes a table of its result. */
  Into: 1,
  /** TEMP or TEMPORARY where it makes the table of a SELECT INTO temporary. */
  Temp: 2,
  /** An object named in the schema pg_temp, or in one whose name is hidden behind escapes. */
  TempSchema: 4,
  /** A word that, inside a WITH, begins a statement that modifies data. */
  Modifying: 8,
  OnCommitDrop: 16,
} as const;

export class Facts {
  kinds: Kind[] = [];
  /** `Saw` bits of the statement being read. */
  saw = 0;
  /** The first reason found is kept: it is the one that ties the session down. */
  pin: PinReason | null = null;
  plain: Plain = Plain.None;
  setVariable: string | null = null;
  resetsAll = false;
  deallocateName: string | null = null;
  discardsPlans = false;
  modifyingWith = false;

  clear(): void {
    this.kinds = [];
    this.saw = 0;
    this.pin = null;
    this.plain = Plain.None;
    this.setVariable = null;
    this.resetsAll = false;
    this.deallocateName = null;
    this.discardsPlans = false;
    this.modifyingWith = false;
  }

  addPin(reason: PinReason): void {
    this.pin ??= reason;
  }
}
