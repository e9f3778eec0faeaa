/**
 * What the texts of the model server do. The first word decides:
 *
 *     begin, start transaction, commit, end, rollback   as in Postgres
 *     select N                     N rows (1 if there is no N) of one column
 *     insert ...                   work that is committed or rolled back
 *     deferred ...                 the same, but COMMIT will fail
 *     fail ...                     fails when it is run
 *     syntax ...                   fails when it is parsed
 *     hang ...                     runs until the test says `finish`, or it is cancelled
 *     die ...                      ends the server with a FATAL error
 *     notice ..., notify ...       says something beside its reply
 *     copy x from stdin, copy x to stdout
 *     set NAME to 'VALUE'; select set_config(...) and RESET as Sluice sends them
 *     deallocate NAME or all, discard all
 *
 * Anything else runs, does nothing, and has its first words in capitals as its tag.
 */
import { copyDone, emptyQueryResponse } from '../../src/wire/constants.ts';
import type { ModelPostgres } from './model-postgres.ts';
import * as say from './say.ts';

export class ModelError extends Error {
  readonly sqlstate: string;
  readonly severity: string;

  constructor(sqlstate: string, message: string, severity = 'ERROR') {
    super(message);
    this.sqlstate = sqlstate;
    this.severity = severity;
  }
}

/** Settings the model reports, under the names it reports them by. */
const DEFAULTS: ReadonlyMap<string, string> = new Map([
  ['client_encoding', 'UTF8'],
  ['standard_conforming_strings', 'on'],
  ['application_name', ''],
  ['TimeZone', 'UTC'],
]);

/** The name of the one column of a text that returns rows. */
export function columnOf(text: string): string | null {
  return /^(?:select|hang)\b/i.test(text) ? 'a' : null;
}

export class ModelStatements {
  status: 'I' | 'T' | 'E' = 'I';
  /** It is not the only statement of its query string. */
  inBlock = false;
  readonly committed: string[] = [];
  settings = new Map(DEFAULTS);
  readonly #server: ModelPostgres;
  #pending: string[] = [];
  #commitFails = false;
  #settingsBefore: ReadonlyMap<string, string> | null = null;
  #reported: ReadonlyMap<string, string> = DEFAULTS;

  constructor(server: ModelPostgres) {
    this.#server = server;
  }

  /** In a failed transaction nothing but its end is even looked at. */
  refuseWhenFailed(text: string): void {
    if (this.status !== 'E' || /^(?:$|(?:commit|end|rollback)\b)/i.test(text)) return;
    throw new ModelError(
      '25P02',
      'current transaction is aborted, commands ignored until end of transaction block',
    );
  }

  isCopyIn(text: string): boolean {
    return /^copy .* from stdin/i.test(text);
  }

  /** Rows a text returns in all. */
  rows(text: string): number {
    if (/set_config/.test(text)) return 1;
    const match = /^select\b\s*(\d*)/i.exec(text);
    return match === null ? 0 : Number(match[1] || 1);
  }

  row(index: number): void {
    this.#server.reply(say.row(`row ${index}`));
  }

  work(text: string): void {
    this.#remember();
    this.#pending.push(text);
  }

  /**
   * Runs a text that has `rows` rows left, up to its CommandComplete. What is `last` in a query
   * string is committed before that is said.
   */
  run(text: string, rows: number, from = 0, last = false): void {
    const words = text.toLowerCase().split(/\s+/);
    for (let row = 0; row < rows; row++) this.row(from + row);
    const tag = this.#tag(text, words, rows);
    if (last && this.status === 'I') this.#commitWork();
    this.#server.reply(tag === '' ? emptyQueryResponse : say.complete(tag));
  }

  #tag(text: string, words: readonly string[], rows: number): string {
    switch (words[0]) {
      case '':
        return '';
      case 'begin':
      case 'start':
        return this.#begin(words[0]);
      case 'commit':
      case 'end':
        return this.#commit();
      case 'rollback':
        if (this.status === 'I') this.#warn('25P01', 'there is no transaction in progress');
        this.#rollBack();
        this.status = 'I';
        return 'ROLLBACK';
      case 'select':
        if (text.includes('set_config')) this.#setConfig(text);
        return `SELECT ${rows}`;
      case 'deferred':
        this.#commitFails = true;
        this.work(text);
        return 'INSERT 0 1';
      case 'insert':
        this.work(text);
        return 'INSERT 0 1';
      case 'fail':
        throw new ModelError('22012', 'division by zero');
      case 'syntax':
        throw new ModelError('42601', 'syntax error');
      case 'die':
        throw new ModelError('57P01', 'terminating connection', 'FATAL');
      default:
        return this.#otherTag(text, words);
    }
  }

  #otherTag(text: string, words: readonly string[]): string {
    switch (words[0]) {
      case 'notice':
        this.#server.reply(say.notice('by the way'));
        return 'DO';
      case 'notify':
        this.#server.reply(say.notification(this.#server.processId, 'channel', 'payload'));
        return 'NOTIFY';
      case 'copy':
        this.#server.reply(say.copyOut(), say.copyData('1\n'), say.copyData('2\n'), copyDone);
        return 'COPY 2';
      case 'set':
        this.#set(words[1] as string, /'(.*)'/.exec(text)?.[1] ?? '');
        return 'SET';
      case 'reset':
        this.#set(words[1]?.replaceAll('"', '') as string, null);
        return 'RESET';
      case 'deallocate':
        return this.#deallocate(words[1] as string);
      case 'discard':
        this.#discardAll();
        return 'DISCARD ALL';
      default:
        return words[0]?.toUpperCase() as string;
    }
  }

  #begin(word: string): string {
    if (this.status === 'T') this.#warn('25001', 'there is already a transaction in progress');
    this.#remember();
    this.status = 'T';
    return word === 'start' ? 'START TRANSACTION' : 'BEGIN';
  }

  #commit(): string {
    const failed = this.status === 'E';
    if (this.status === 'I') this.#warn('25P01', 'there is no transaction in progress');
    this.status = 'I';
    if (failed) this.#rollBack();
    else this.#commitWork();
    return failed ? 'ROLLBACK' : 'COMMIT';
  }

  /** The end of a query string or batch commits what ran outside a transaction block. */
  endImplicit(): void {
    if (this.status === 'I') {
      try {
        this.#commitWork();
      } catch (error) {
        if (!(error instanceof ModelError)) throw error;
        this.#server.reply(say.error(error.sqlstate, error.message));
      }
    }
  }

  abort(): void {
    if (this.status === 'I') this.#rollBack();
    else this.status = 'E';
  }

  /** Reports settings that have changed since the last time. */
  report(): void {
    for (const [name, value] of this.settings) {
      if (this.#reported.get(name) === value) continue;
      this.#server.reply(say.parameterStatus(name, value));
    }
    this.#reported = new Map(this.settings);
  }

  #commitWork(): void {
    if (this.#commitFails) {
      this.#rollBack();
      throw new ModelError('23503', 'insert violates foreign key constraint');
    }
    this.committed.push(...this.#pending);
    this.#pending = [];
    this.#settingsBefore = null;
  }

  #rollBack(): void {
    this.#pending = [];
    this.#commitFails = false;
    if (this.#settingsBefore !== null) this.settings = new Map(this.#settingsBefore);
    this.#settingsBefore = null;
  }

  #remember(): void {
    this.#settingsBefore ??= new Map(this.settings);
  }

  /** With null, the setting goes back to its default. */
  #set(name: string, value: string | null): void {
    this.#remember();
    for (const [known, start] of DEFAULTS) {
      if (known.toLowerCase() === name.toLowerCase()) this.settings.set(known, value ?? start);
    }
  }

  #setConfig(text: string): void {
    for (const [, name, value] of text.matchAll(/set_config\('([^']*)', '([^']*)'/g)) {
      this.#set(name as string, value as string);
    }
  }

  #deallocate(name: string): string {
    const { statements } = this.#server;
    if (name === 'all') {
      for (const key of [...statements.keys()]) if (key !== '') statements.delete(key);
      return 'DEALLOCATE ALL';
    }
    if (!statements.delete(name)) {
      throw new ModelError('26000', `prepared statement "${name}" does not exist`);
    }
    return 'DEALLOCATE';
  }

  #discardAll(): void {
    if (this.status !== 'I' || this.inBlock) {
      throw new ModelError('25001', 'DISCARD ALL cannot run inside a transaction block');
    }
    this.#deallocate('all');
    this.#server.portals.clear();
    this.settings = new Map(DEFAULTS);
  }

  #warn(sqlstate: string, message: string): void {
    this.#server.reply(say.warning(sqlstate, message));
  }
}
