/** Who is turned away before it is asked who it is. */
import type { ListenConfig } from '../config/snapshot.ts';
import { type ProxyError, refuse } from '../errors/proxy-error.ts';
import type { FirstPacket } from '../wire/startup.ts';
import type { Door } from './door.ts';

/** Null: it may go on. */
export function unwelcome(
  door: Door,
  listener: ListenConfig,
  packet: FirstPacket,
  encrypted: boolean,
): ProxyError | null {
  const { limits, context, clients, loggingIn, proving } = door;
  if (context.draining) return refuse('draining');
  if (listener.tls.mode === 'require' && !encrypted) return refuse('tls_required');
  if (clients + proving >= limits.maxClients) return refuse('process_client_limit');
  if (loggingIn.length > limits.maxLogins) return refuse('login_limit');
  const replication = packet.parameters.get('replication');
  return isTrue(replication) ? refuse('replication_unsupported') : null;
}

/** As Postgres reads a boolean; `replication=database` is the logical kind. */
function isTrue(value: string | undefined): boolean {
  return value !== undefined && !/^(?:false|off|no|0)$/i.test(value);
}
