/**
 * Whether a statement may run, as far as that is known before it is sent. Pure; returns the error
 * the client gets, or null, which is what nearly every statement gets.
 */
import { type ProxyError, refuse } from '../errors/proxy-error.ts';
import type { Statement } from '../sql/statement.ts';
import { PIN_TEXTS } from './pins.ts';
import type { Session } from './session.ts';

export function judge(session: Session, statement: Statement): ProxyError | null {
  const { pool, pin } = session.service.config;
  if (pool.mode === 'session') return null;
  if (statement.opensTransaction && pool.mode === 'statement') {
    return refuse('statement_mode_transaction');
  }
  if (statement.pin !== null && (pin === 'refuse' || pool.mode === 'statement')) {
    return refuse('pin_refused', { values: { what: PIN_TEXTS[statement.pin] } });
  }
  return null;
}
