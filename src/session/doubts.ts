/**
 * Lost answers: a server that goes away while a COMMIT, or a write outside of a transaction, is
 * unanswered leaves nobody knowing whether it happened. The client is told so (SQLSTATE 08007); the
 * operator finds it here, in the log and in the metrics.
 *
 * What is in doubt follows from the replies still owed, read in the order they would have come: a
 * COMMIT in a transaction that had not failed, and whatever may write while none is open. A BEGIN
 * among them opens one, so an INSERT behind it is not in doubt: without its COMMIT it is undone. In
 * the extended protocol it is Sync that commits, so a Sync remembers what its batch has run.
 *
 * A server that says FATAL has failed the statement it was at, and leaves no doubt.
 */
import { Action, type ReplyEntry } from '../backend/reply-queue.ts';
import type { ServerConnection } from '../backend/server-connection.ts';
import type { Statement } from '../sql/statement.ts';
import { Kind } from '../sql/statement-kind.ts';
import { withoutLiterals } from '../sql/without-literals.ts';
import { TransactionStatus } from '../wire/codes.ts';
import type { Session } from './session.ts';

/** Older ones are in the log. */
const KEPT_MAX = 200;

export interface Doubt {
  /** An ISO date. */
  readonly at: string;
  readonly service: string;
  readonly user: string;
  readonly database: string;
  readonly target: string;
  /** The client's address. */
  readonly client: string;
  readonly session: number;
  /** The server's process. */
  readonly server_pid: number;
  /** A COMMIT, or a write that commits by itself. */
  readonly kind: 'commit' | 'write';
  /** Without its literals. */
  readonly statement: string;
  readonly reason: string;
}

/** The last ones, for windows. */
export class Doubts {
  readonly #kept: Doubt[] = [];

  add(doubt: Doubt): void {
    if (this.#kept.length === KEPT_MAX) this.#kept.shift();
    this.#kept.push(doubt);
  }

  /** Newest first. */
  get list(): readonly Doubt[] {
    return this.#kept.toReversed();
  }
}

/** Counts, logs and keeps what is in doubt now that the server is lost; false when nothing is. */
export function recordDoubt(session: Session, server: ServerConnection, reason: string): boolean {
  const found = server.retired ? null : findDoubt(session, server);
  if (found === null) return false;
  const { context, service } = session;
  const doubt: Doubt = {
    at: new Date(context.clock.wallMs()).toISOString(),
    service: service.name,
    user: session.user,
    database: session.database,
    target: server.target.name,
    client: session.address,
    session: session.id,
    server_pid: server.processId,
    kind: found.kind,
    statement: withoutLiterals(found.statement.text, session.standardConformingStrings),
    reason,
  };
  service.meters.doubts++;
  context.doubts.add(doubt);
  context.log.error('outcome of a commit is unknown', { ...doubt });
  return true;
}

interface Found {
  readonly kind: Doubt['kind'];
  readonly statement: Statement;
}

function findDoubt(session: Session, server: ServerConnection): Found | null {
  let open = server.status !== TransactionStatus.Idle;
  let failed = server.status === TransactionStatus.Failed;
  for (let index = 0; index < server.queue.length; index++) {
    const entry: ReplyEntry = server.queue.at(index);
    if (entry.action === Action.ReplaceError) failed = true;
    // Only what was sent for this session: its own, and a BEGIN that was sent ahead for it.
    const isBegin = entry.action === Action.Drop;
    if (entry.runs === null || (entry.owner !== session && !isBegin)) continue;
    const statement = entry.runs as Statement;
    const { kinds, endsTransaction, kind } = statement;
    const undoes = kinds.length === 1 && kind === Kind.Rollback;
    if (open && endsTransaction && !failed && !undoes) return { kind: 'commit', statement };
    const begins = kinds[0] === Kind.Begin;
    if (!open && !undoes && kind >= Kind.Insert && (!begins || endsTransaction)) {
      return { kind: endsTransaction && begins ? 'commit' : 'write', statement };
    }
    if (endsTransaction) failed = false;
    open = statement.opensTransaction || (open && !endsTransaction);
  }
  return null;
}
