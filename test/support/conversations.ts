/**
 * Conversations for tests of the wire: what libpq 18 and servers 18 and 13 really sent each other,
 * with libpq's own trace of it where there is one (`recordings.json`), and made-up ones for what no
 * recording shows: messages too long to be shown whole, and many messages in a row.
 */
import { Backend, TransactionStatus } from '../../src/wire/codes.ts';
import { readyForQuery } from '../../src/wire/constants.ts';
import { encodeBind } from '../../src/wire/messages/bind.ts';
import { encodeCommandComplete } from '../../src/wire/messages/command-complete.ts';
import { encodeCopyData, encodeCopyResponse } from '../../src/wire/messages/copy.ts';
import { encodeDataRowTexts } from '../../src/wire/messages/data-row.ts';
import { encodeExecute } from '../../src/wire/messages/execute.ts';
import { encodeParse } from '../../src/wire/messages/parse.ts';
import { encodeQuery } from '../../src/wire/messages/query.ts';
import { encodeRowDescription, textColumn } from '../../src/wire/messages/row-description.ts';
import { Writer } from '../../src/wire/writer.ts';
import recordings from './recordings.json' with { type: 'json' };

export interface Conversation {
  readonly name: string;
  /** The packets without a code byte that opened it, each whole. */
  readonly firstPackets: readonly Buffer[];
  /** One-byte answers to SSLRequest and GSSENCRequest. */
  readonly charResponses: readonly number[];
  /** Everything after that, as the two byte streams they are. */
  readonly frontend: Buffer;
  readonly backend: Buffer;
  /** libpq's trace of the whole, or null. */
  readonly trace: readonly string[] | null;
}

/** What libpq and real servers said. */
export const recorded: readonly Conversation[] = recordings.map((recording) =>
  fromChunks(recording.name, recording.chunks, recording.trace),
);

/** One conversation of the recorded ones. */
export function recording(name: string): Conversation {
  const found = recorded.find((conversation) => conversation.name === name);
  if (found === undefined) throw new Error(`no recording is called ${name}`);
  return found;
}

/** What no recording shows. */
export const madeUp: readonly Conversation[] = [
  conversation('a row limit', rowLimit),
  conversation('long messages', longMessages),
  conversation('nothing but tiny messages', tinyMessages),
];

export const conversations: readonly Conversation[] = [...recorded, ...madeUp];

/** A chunk is `F` or `B`, a space, and its bytes in hexadecimal. */
function fromChunks(
  name: string,
  chunks: readonly string[],
  trace: readonly string[] | null,
): Conversation {
  const firstPackets: Buffer[] = [];
  const charResponses: number[] = [];
  const streams = { F: [] as Buffer[], B: [] as Buffer[] };
  let opening = true;
  for (const chunk of chunks) {
    const direction = chunk[0] as 'F' | 'B';
    const bytes = Buffer.from(chunk.slice(2), 'hex');
    if (opening && direction === 'F') firstPackets.push(bytes);
    else if (opening && bytes.length === 1) charResponses.push(bytes[0] as number);
    else {
      opening = false;
      streams[direction].push(bytes);
    }
  }
  return {
    name,
    firstPackets,
    charResponses,
    frontend: Buffer.concat(streams.F),
    backend: Buffer.concat(streams.B),
    trace,
  };
}

function conversation(
  name: string,
  fill: (frontend: Writer, backend: Writer) => void,
): Conversation {
  const frontend = new Writer();
  const backend = new Writer();
  fill(frontend, backend);
  return {
    name,
    firstPackets: [],
    charResponses: [],
    frontend: frontend.take(),
    backend: backend.take(),
    trace: null,
  };
}

function empty(writer: Writer, code: number): void {
  writer.begin(code);
  writer.end();
}

function rowLimit(frontend: Writer, backend: Writer): void {
  encodeParse(frontend, '', 'select n from numbers', []);
  encodeBind(frontend, {
    portal: 'p',
    statement: '',
    formats: [],
    values: [],
    resultFormats: [],
  });
  empty(backend, Backend.ParseComplete);
  empty(backend, Backend.BindComplete);
  for (let batch = 0; batch < 3; batch++) {
    encodeExecute(frontend, 'p', 2);
    encodeDataRowTexts(backend, [String(batch * 2)]);
    encodeDataRowTexts(backend, [null]);
    empty(backend, Backend.PortalSuspended);
  }
  empty(frontend, 0x53);
  backend.bytes(readyForQuery(TransactionStatus.Idle));
}

/** Each above the size up to which a message is shown whole, and neighbours on both sides. */
function longMessages(frontend: Writer, backend: Writer): void {
  const long = `select '${'x'.repeat(300_000)}'`;
  encodeQuery(frontend, 'select 1');
  encodeQuery(frontend, long);
  encodeParse(frontend, 'long', long, [25]);
  encodeBind(frontend, {
    portal: '',
    statement: 'long',
    formats: [1],
    values: [Buffer.alloc(270_000, 1), null],
    resultFormats: [],
  });
  empty(frontend, 0x53);
  encodeRowDescription(backend, [textColumn('x')]);
  encodeDataRowTexts(backend, ['y'.repeat(300_000)]);
  encodeCommandComplete(backend, 'SELECT 1');
  encodeCopyResponse(backend, Backend.CopyOutResponse, { format: 0, columnFormats: [0] });
  encodeCopyData(backend, Buffer.alloc(100_000, 0x61));
  empty(backend, Backend.CopyDone);
  backend.bytes(readyForQuery(TransactionStatus.Transaction));
}

function tinyMessages(frontend: Writer, backend: Writer): void {
  for (let i = 0; i < 20; i++) {
    empty(frontend, i % 3 === 0 ? 0x48 : 0x53);
    empty(backend, i % 2 === 0 ? Backend.NoData : Backend.CloseComplete);
    backend.bytes(readyForQuery(TransactionStatus.Failed));
  }
}
