/**
 * A Postgres for conversations: keeps the state a real one keeps (statements, portals, transaction,
 * the ignoring after an error, COPY) and answers as postgres.c does, but runs no SQL. What a text
 * does is decided by its first word; see `model-statements.ts` for the dialect.
 *
 * Three simplifications, where Sluice cannot know what Postgres would say: a text is looked at for
 * syntax after its transaction and its name; a portal that returns no rows is gone once it has run
 * (Postgres: "portal cannot be run"); and in a failed transaction nothing but its end is described
 * (Postgres: all that returns no rows).
 *
 * As a real server, it sends what it has collected at ReadyForQuery, at an error and at Flush, and
 * reports changed settings just before ReadyForQuery.
 */
import {
  bindComplete,
  closeComplete,
  noData,
  parseComplete,
  portalSuspended,
} from '../../src/wire/constants.ts';
import { decodeBind } from '../../src/wire/messages/bind.ts';
import { decodeClose, decodeDescribe, ObjectKind } from '../../src/wire/messages/describe-close.ts';
import { decodeExecute } from '../../src/wire/messages/execute.ts';
import { decodeParse } from '../../src/wire/messages/parse.ts';
import { decodeQuery } from '../../src/wire/messages/query.ts';
import { columnOf, ModelError, ModelStatements } from './model-statements.ts';
import * as say from './say.ts';
import type { Received, ScriptedPeer } from './scripted-peer.ts';

interface Portal {
  readonly text: string;
  /** Rows already sent. */
  position: number;
}

export class ModelPostgres {
  readonly peer: ScriptedPeer;
  readonly processId: number;
  readonly key: Buffer;
  readonly sql: ModelStatements;
  readonly statements = new Map<string, string>();
  readonly portals = new Map<string, Portal>();
  /** It reads on, but a test answers. */
  muted = false;
  #ignoring = false;
  #copying: 'simple' | 'extended' | null = null;
  /** The rest of the query string in which COPY runs. */
  #afterCopy: readonly string[] = [];
  /** What waits for the end of a statement that takes its time. */
  #waiting: Received[] | null = null;
  #finish: ((error: ModelError | null) => void) | null = null;
  #output: Buffer[] = [];

  constructor(peer: ScriptedPeer, processId: number) {
    this.peer = peer;
    this.processId = processId;
    this.key = Buffer.alloc(4, processId);
    this.sql = new ModelStatements(this);
    peer.onMessage = (received) => this.#receive(received);
  }

  /** Texts whose work has been committed, in order. */
  get committed(): readonly string[] {
    return this.sql.committed;
  }

  /** Lets a statement that hangs come to its end, and what came behind it. */
  finish(error: ModelError | null = null): void {
    const waiting = this.#waiting ?? [];
    const finish = this.#finish;
    this.#waiting = null;
    this.#finish = null;
    finish?.(error);
    for (const received of waiting) this.#receive(received);
  }

  /** A cancel request for what it is doing. */
  cancel(): void {
    if (this.#finish === null) return;
    this.finish(new ModelError('57014', 'canceling statement due to user request'));
  }

  /** Is shut down. */
  shutDown(): void {
    this.peer.send(
      say.error('57P01', 'terminating connection due to administrator command', 'FATAL'),
    );
    this.peer.end();
  }

  reply(...messages: readonly Buffer[]): void {
    this.#output.push(...messages);
  }

  #flush(): void {
    const output = this.#output;
    this.#output = [];
    if (output.length > 0) this.peer.send(...output);
  }

  #receive(received: Received): void {
    if (this.muted) return;
    if (received.name === 'StartupMessage') {
      this.peer.send(say.welcome(this.processId, this.key));
      return;
    }
    if (this.#waiting !== null) {
      this.#waiting.push(received);
      return;
    }
    if (this.#copying !== null) this.#duringCopy(received);
    else this.#message(received);
  }

  #message(received: Received): void {
    const { name, bytes } = received;
    if (name === 'Sync') {
      this.#ignoring = false;
      this.sql.endImplicit();
      this.#ready();
      return;
    }
    if (name === 'Terminate') {
      this.peer.end();
      return;
    }
    if (name.startsWith('Copy') || this.#ignoring) return;
    if (name === 'Flush') this.#flush();
    else if (name === 'Query') this.#query(decodeQuery(bytes, 5, bytes.length));
    else if (name === 'FunctionCall') this.#functionCall();
    else this.#attempt(() => this.#extended(name, bytes));
  }

  #extended(name: string, bytes: Buffer): void {
    switch (name) {
      case 'Parse':
        this.#parse(bytes);
        break;
      case 'Bind':
        this.#bind(bytes);
        break;
      case 'Describe':
        this.#describe(bytes);
        break;
      case 'Execute':
        this.#execute(bytes);
        break;
      case 'Close': {
        const { kind, name: object } = decodeClose(bytes, 5, bytes.length);
        (kind === ObjectKind.Portal ? this.portals : this.statements).delete(object);
        this.reply(closeComplete);
        break;
      }
      default:
        throw new Error(`the model does not know ${name}`);
    }
  }

  /** Runs a step of the extended protocol; its error turns everything up to Sync off. */
  #attempt(step: () => void): void {
    try {
      step();
    } catch (error) {
      this.#fail(error);
      this.#ignoring = true;
    }
  }

  #fail(error: unknown): void {
    if (!(error instanceof ModelError)) throw error;
    this.sql.abort();
    this.reply(say.error(error.sqlstate, error.message, error.severity));
    this.#flush();
    if (error.severity === 'FATAL') this.peer.end();
  }

  #ready(): void {
    this.sql.report();
    const { status } = this.sql;
    if (status === 'I') this.portals.clear();
    this.reply(say.ready(status));
    this.#flush();
  }

  // ── Simple protocol ────────────────────────────────────────────────────────────────────────

  #query(text: string): void {
    this.statements.delete('');
    const texts = text.split(';').map((one) => one.trim());
    const statements = texts.filter((one) => one !== '');
    this.sql.inBlock = statements.length > 1;
    this.#runAll(statements.length > 0 ? statements : ['']);
  }

  #runAll(texts: readonly string[]): void {
    const [text, ...rest] = texts;
    if (text === undefined) {
      this.sql.endImplicit();
      this.#ready();
      return;
    }
    try {
      this.sql.refuseWhenFailed(text);
      const held = this.#holdUp(text, (error) => {
        if (error === null) this.#runAll(rest);
        else this.#failSimple(error);
      });
      if (held) return;
      if (this.sql.isCopyIn(text)) {
        this.#copying = 'simple';
        this.#afterCopy = rest;
        this.reply(say.copyIn());
        this.#flush();
        return;
      }
      const column = columnOf(text);
      if (column !== null) this.reply(say.columns(column));
      this.sql.run(text, this.sql.rows(text), 0, rest.length === 0);
    } catch (error) {
      this.#failSimple(error);
      return;
    }
    this.#runAll(rest);
  }

  #failSimple(error: unknown): void {
    this.#fail(error);
    if (error instanceof ModelError && error.severity === 'FATAL') return;
    this.sql.endImplicit();
    this.#ready();
  }

  #functionCall(): void {
    try {
      this.sql.refuseWhenFailed('function');
      this.reply(say.functionResult('42'));
    } catch (error) {
      this.#fail(error);
    }
    this.sql.endImplicit();
    this.#ready();
  }

  /** A statement that takes until `finish`; `then` is what follows it. */
  #holdUp(text: string, then: (error: ModelError | null) => void): boolean {
    if (!text.startsWith('hang')) return false;
    this.#flush();
    this.#waiting = [];
    this.#finish = (error) => {
      if (error === null) this.reply(say.complete('SELECT 0'));
      then(error);
    };
    return true;
  }

  // ── Extended protocol ──────────────────────────────────────────────────────────────────────

  #parse(bytes: Buffer): void {
    const { name, text } = decodeParse(bytes, 5, bytes.length);
    if (name === '') this.statements.delete('');
    this.sql.refuseWhenFailed(text);
    if (name !== '' && this.statements.has(name)) {
      throw new ModelError('42P05', `prepared statement "${name}" already exists`);
    }
    if (text.startsWith('syntax')) throw new ModelError('42601', 'syntax error');
    this.statements.set(name, text);
    this.reply(parseComplete);
  }

  #bind(bytes: Buffer): void {
    const { portal, statement } = decodeBind(bytes, 5, bytes.length);
    const text = this.#statement(statement);
    this.sql.refuseWhenFailed(text === '' ? 'nothing' : text);
    this.portals.set(portal, { text, position: 0 });
    this.reply(bindComplete);
  }

  /** Names are looked at before the transaction is. */
  #statement(name: string): string {
    const text = this.statements.get(name);
    if (text !== undefined) return text;
    const what = name === '' ? 'unnamed prepared statement' : `prepared statement "${name}"`;
    throw new ModelError('26000', `${what} does not exist`);
  }

  #portal(name: string): Portal {
    const portal = this.portals.get(name);
    if (portal === undefined) throw new ModelError('34000', `portal "${name}" does not exist`);
    return portal;
  }

  #describe(bytes: Buffer): void {
    const { kind, name } = decodeDescribe(bytes, 5, bytes.length);
    const isPortal = kind === ObjectKind.Portal;
    const text = isPortal ? this.#portal(name).text : this.#statement(name);
    const column = columnOf(text);
    this.sql.refuseWhenFailed(text);
    if (!isPortal) this.reply(say.parameterTypes());
    this.reply(column === null ? noData : say.columns(column));
  }

  #execute(bytes: Buffer): void {
    this.sql.inBlock = false;
    const { portal: name, rowsMax } = decodeExecute(bytes, 5, bytes.length);
    const portal = this.#portal(name);
    this.sql.refuseWhenFailed(portal.text);
    const held = this.#holdUp(portal.text, (error) => {
      if (error !== null)
        this.#attempt(() => {
          throw error;
        });
    });
    if (held) return;
    if (this.sql.isCopyIn(portal.text)) {
      this.#copying = 'extended';
      this.reply(say.copyIn());
      this.#flush();
      return;
    }
    const left = this.sql.rows(portal.text) - portal.position;
    if (rowsMax > 0 && left > rowsMax) {
      for (let row = 0; row < rowsMax; row++) this.sql.row(portal.position++);
      this.reply(portalSuspended);
      return;
    }
    this.sql.run(portal.text, left, portal.position);
    portal.position += left;
    if (!/^(?:select|deallocate)\b/i.test(portal.text)) this.portals.delete(name);
  }

  // ── COPY ───────────────────────────────────────────────────────────────────────────────────

  /** The server wants data: Sync and Flush are ignored, and anything else ends it. */
  #duringCopy({ name, bytes }: Received): void {
    const data = bytes.toString('latin1', 5);
    if (name === 'Sync' || name === 'Flush') return;
    if (name === 'CopyData' && !data.startsWith('bad')) {
      this.sql.work(`copied ${data}`);
      return;
    }
    const mode = this.#copying;
    this.#copying = null;
    const error = copyError(name, data);
    if (error !== null) {
      if (mode === 'simple') this.#failSimple(error);
      else
        this.#attempt(() => {
          throw error;
        });
      return;
    }
    this.reply(say.complete('COPY 1'));
    if (mode === 'simple') this.#runAll(this.#afterCopy);
  }
}

function copyError(name: string, data: string): ModelError | null {
  if (name === 'CopyDone') return null;
  if (name === 'CopyData') return new ModelError('22P02', 'invalid input syntax');
  if (name === 'CopyFail') {
    return new ModelError('57014', `COPY from stdin failed: ${data.slice(0, -1)}`);
  }
  return new ModelError('08P01', `unexpected message ${name} during COPY from stdin`, 'FATAL');
}
