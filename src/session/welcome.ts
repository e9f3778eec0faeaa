/** The last messages of a login: settings, the cancel key, and the first ReadyForQuery. */
import { refuse } from '../errors/proxy-error.ts';
import { readyForQueryIdle } from '../wire/constants.ts';
import { encodeBackendKeyData } from '../wire/messages/backend-key-data.ts';
import { encodeParameterStatus } from '../wire/messages/parameter-status.ts';
import { Writer } from '../wire/writer.ts';
import type { LoginProfile } from './login-profile.ts';
import type { Session } from './session.ts';

const writer = new Writer();

/** False when there was no cancel key left; the session has then been closed. */
export function welcome(session: Session, profile: LoginProfile, longKey: boolean): boolean {
  const key = session.context.cancels.add(session, longKey);
  if (key === null) {
    session.fail(refuse('process_client_limit'));
    return false;
  }
  for (const [name, value] of profile.parameters) encodeParameterStatus(writer, name, value);
  encodeBackendKeyData(writer, key.processId, key.secret);
  writer.bytes(readyForQueryIdle);
  session.answer(writer.take());
  return true;
}
