/** What PostgreSQL 18's own grammar says a text is, in this project's kinds. */
import { loadModule, parseSync } from 'libpg-query';
import { Kind } from '../../../src/sql/statement-kind.ts';

await loadModule();

type Node = Record<string, unknown>;

/** The kinds of the text's statements, or null when the grammar does not accept it. */
export function grammarKinds(text: string): Kind[] | null {
  // The parser throws on a text without a character; to the server it is one without a statement.
  if (text === '') return [];
  try {
    const { stmts } = parseSync(text) as { stmts?: { stmt: Node }[] };
    return (stmts ?? []).map(({ stmt }) => kindOf(stmt));
  } catch {
    return null;
  }
}

function kindOf(stmt: Node): Kind {
  const [type, body] = Object.entries(stmt)[0] as [string, Node];
  switch (type) {
    case 'SelectStmt':
      return selectKind(body);
    case 'TransactionStmt':
      return TRANSACTION[body['kind'] as string] ?? Kind.Unknown;
    case 'VariableSetStmt':
      return settingKind(body);
    case 'ExplainStmt':
      return hasAnalyze(body) ? Kind.ExplainAnalyze : Kind.Explain;
    case 'DeclareCursorStmt':
      // CURSOR_OPT_HOLD, parsenodes.h.
      return ((body['options'] as number) & 0x20) !== 0 ? Kind.DeclareWithHold : Kind.Declare;
    case 'DeallocateStmt':
      return body['isall'] === true ? Kind.DeallocateAll : Kind.Deallocate;
    case 'DiscardStmt':
      return body['target'] === 'DISCARD_ALL' ? Kind.DiscardAll : Kind.Discard;
    case 'FetchStmt':
      return body['ismove'] === true ? Kind.Move : Kind.Fetch;
    default:
      return OTHERS[type] ?? Kind.Ddl;
  }
}

const TRANSACTION: Readonly<Record<string, Kind>> = {
  TRANS_STMT_BEGIN: Kind.Begin,
  TRANS_STMT_START: Kind.Begin,
  TRANS_STMT_COMMIT: Kind.Commit,
  TRANS_STMT_ROLLBACK: Kind.Rollback,
  TRANS_STMT_SAVEPOINT: Kind.Savepoint,
  TRANS_STMT_RELEASE: Kind.ReleaseSavepoint,
  TRANS_STMT_ROLLBACK_TO: Kind.RollbackTo,
  TRANS_STMT_PREPARE: Kind.PrepareTransaction,
  TRANS_STMT_COMMIT_PREPARED: Kind.CommitPrepared,
  TRANS_STMT_ROLLBACK_PREPARED: Kind.RollbackPrepared,
};

const OTHERS: Readonly<Record<string, Kind>> = {
  InsertStmt: Kind.Insert,
  UpdateStmt: Kind.Update,
  DeleteStmt: Kind.Delete,
  MergeStmt: Kind.Merge,
  CopyStmt: Kind.Copy,
  CallStmt: Kind.Call,
  DoStmt: Kind.Do,
  LoadStmt: Kind.Load,
  PrepareStmt: Kind.Prepare,
  ExecuteStmt: Kind.Execute,
  ListenStmt: Kind.Listen,
  UnlistenStmt: Kind.Unlisten,
  NotifyStmt: Kind.Notify,
  ClosePortalStmt: Kind.ClosePortal,
  LockStmt: Kind.Lock,
  ConstraintsSetStmt: Kind.SetConstraints,
  VariableShowStmt: Kind.Show,
  VacuumStmt: Kind.Utility,
  ClusterStmt: Kind.Utility,
  ReindexStmt: Kind.Utility,
  CheckPointStmt: Kind.Utility,
};

function selectKind(body: Node): Kind {
  let leftmost = body;
  while (leftmost['larg'] !== undefined) leftmost = leftmost['larg'] as Node;
  if (leftmost['intoClause'] !== undefined) return Kind.SelectInto;
  if (hasModifyingWith(body['withClause'] as Node | undefined)) return Kind.WithWrite;
  if (leftmost['valuesLists'] !== undefined) return Kind.Values;
  return Kind.Select;
}

function hasModifyingWith(clause: Node | undefined): boolean {
  if (clause === undefined) return false;
  return (clause['ctes'] as Node[]).some((cte) => {
    const query = (cte['CommonTableExpr'] as Node)['ctequery'] as Node;
    return query['SelectStmt'] === undefined;
  });
}

function settingKind(body: Node): Kind {
  const name = (body['name'] as string | undefined)?.toLowerCase();
  if (name === 'transaction' || name === 'transaction snapshot') return Kind.SetTransaction;
  if (body['kind'] === 'VAR_RESET' || body['kind'] === 'VAR_RESET_ALL') return Kind.Reset;
  if (body['is_local'] === true) return Kind.SetLocal;
  if (body['kind'] === 'VAR_SET_DEFAULT') return Kind.Reset;
  if (name === 'session characteristics') return Kind.SetSessionCharacteristics;
  if (name === 'role') return Kind.SetRole;
  if (name === 'session_authorization') return Kind.SetSessionAuthorization;
  if (name?.startsWith('transaction_') === true) return Kind.SetTransaction;
  return Kind.Set;
}

function hasAnalyze(body: Node): boolean {
  let analyze = false;
  for (const option of (body['options'] as Node[] | undefined) ?? []) {
    const element = option['DefElem'] as Node;
    if (element['defname'] !== 'analyze') continue;
    analyze = !['false', 'off'].includes(textOf(element['arg'] as Node | undefined));
  }
  return analyze;
}

function textOf(arg: Node | undefined): string {
  return ((arg?.['String'] as Node | undefined)?.['sval'] as string | undefined) ?? '';
}
