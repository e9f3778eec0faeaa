/**
 * Which messages of a stream are looked at, by direction and phase. A table has 256 entries; one
 * read per message decides (see `frame-scanner.ts`).
 *
 * Rule: what carries a result's or a COPY's bulk is never looked at (DataRow, CopyData,
 * RowDescription). What changes the state of the conversation always is.
 */
import { Backend, Frontend } from './codes.ts';
import { Interest } from './frame-scanner.ts';

function table(forward: readonly number[], peek: readonly number[]): Uint8Array {
  const interest = new Uint8Array(256).fill(Interest.Refuse);
  for (const code of forward) interest[code] = Interest.Forward;
  for (const code of peek) interest[code] = Interest.Peek;
  return interest;
}

/** Client to proxy, before the login has ended: only the answer to what we asked. */
export const CLIENT_LOGIN: Uint8Array = table([], [Frontend.Password]);

const CLIENT_MESSAGES = [
  Frontend.Query,
  Frontend.Parse,
  Frontend.Bind,
  Frontend.Execute,
  Frontend.Describe,
  Frontend.Close,
  Frontend.Sync,
  Frontend.Flush,
  Frontend.FunctionCall,
  Frontend.CopyDone,
  Frontend.CopyFail,
  Frontend.Terminate,
];

/**
 * Client to proxy, logged in, holding no server. COPY data can only be the tail of a COPY that has
 * failed already; Postgres ignores it and so do we.
 */
export const CLIENT_IDLE: Uint8Array = table([], CLIENT_MESSAGES);
CLIENT_IDLE[Frontend.CopyData] = Interest.Skip;

/** Client to proxy, holding a server: COPY data streams to it; if it wants none, it ignores it. */
export const CLIENT_LEASED: Uint8Array = table([Frontend.CopyData], CLIENT_MESSAGES);

/** Server to proxy, once it is logged in. */
export const SERVER_READY: Uint8Array = table(
  [Backend.DataRow, Backend.CopyData],
  [
    Backend.RowDescription,
    Backend.ParameterDescription,
    Backend.NoData,
    Backend.ParseComplete,
    Backend.BindComplete,
    Backend.CloseComplete,
    Backend.CommandComplete,
    Backend.EmptyQueryResponse,
    Backend.PortalSuspended,
    Backend.FunctionCallResponse,
    Backend.CopyInResponse,
    Backend.CopyOutResponse,
    Backend.CopyBothResponse,
    Backend.CopyDone,
    Backend.ErrorResponse,
    Backend.NoticeResponse,
    Backend.NotificationResponse,
    Backend.ParameterStatus,
    Backend.ReadyForQuery,
  ],
);

/** Server to proxy, while it is being logged in to: everything is ours to read. */
export const SERVER_LOGIN: Uint8Array = table(
  [],
  [
    Backend.Authentication,
    Backend.BackendKeyData,
    Backend.ParameterStatus,
    Backend.ErrorResponse,
    Backend.NoticeResponse,
    Backend.NegotiateProtocolVersion,
    Backend.ReadyForQuery,
  ],
);
