/**
 * What the frame scanner costs per message and per byte, over the shapes real streams have. Run:
 *
 *     node bench/micro/frame-scanner.bench.ts [milliseconds per shape]
 *
 * Prints ns per message and MB/s; asserts nothing, because machines differ. Compare two commits on
 * one machine, a few runs each.
 */
import { Backend, Frontend, TransactionStatus } from '../../src/wire/codes.ts';
import { bindComplete, parseComplete, readyForQuery } from '../../src/wire/constants.ts';
import { FrameScanner, type FrameSink, Scan } from '../../src/wire/frame-scanner.ts';
import { CLIENT_LEASED, SERVER_READY } from '../../src/wire/interest.ts';
import { MESSAGE_LENGTH_MAX } from '../../src/wire/limits.ts';
import { encodeCommandComplete } from '../../src/wire/messages/command-complete.ts';
import { encodeQuery } from '../../src/wire/messages/query.ts';
import { Writer } from '../../src/wire/writer.ts';

/** Node reads sockets in chunks of up to 64 KiB. */
const CHUNK_BYTES = 65_536;
const MEASURE_MS = Number(process.argv[2] ?? 500);

interface Shape {
  readonly name: string;
  readonly interest: Uint8Array;
  /** One unit of the stream, and how many messages it has. */
  readonly unit: Buffer;
  readonly messages: number;
  readonly chunkBytes: number;
}

/** Keeps everything and counts, so that no work can be optimised away. */
class CountingSink implements FrameSink {
  bytes = 0;
  shown = 0;

  forward(_chunk: Buffer, start: number, end: number): void {
    this.bytes += end - start;
  }

  message(_code: number, _buffer: Buffer, _start: number, end: number, _total: number): Scan {
    this.shown += end & 1;
    return Scan.Keep;
  }
}

function unit(fill: (writer: Writer) => void): Buffer {
  const writer = new Writer();
  fill(writer);
  return writer.take();
}

function message(writer: Writer, code: number, bodyBytes: number): void {
  writer.begin(code);
  writer.bytes(Buffer.alloc(bodyBytes));
  writer.end();
}

function rows(rowBytes: number): Shape {
  return {
    name: `DataRow of ${rowBytes} bytes`,
    interest: SERVER_READY,
    unit: unit((writer) => message(writer, Backend.DataRow, rowBytes)),
    messages: 1,
    chunkBytes: CHUNK_BYTES,
  };
}

const smallReply = unit((writer) => {
  writer.bytes(parseComplete);
  writer.bytes(bindComplete);
  message(writer, Backend.RowDescription, 30);
  message(writer, Backend.DataRow, 14);
  encodeCommandComplete(writer, 'SELECT 1');
  writer.bytes(readyForQuery(TransactionStatus.Idle));
});

const shapes: readonly Shape[] = [
  {
    name: 'ReadyForQuery only (all peeked)',
    interest: SERVER_READY,
    unit: readyForQuery(TransactionStatus.Idle),
    messages: 1,
    chunkBytes: CHUNK_BYTES,
  },
  {
    name: 'reply of one small row',
    interest: SERVER_READY,
    unit: smallReply,
    messages: 6,
    chunkBytes: CHUNK_BYTES,
  },
  {
    name: 'the same, a chunk per reply',
    interest: SERVER_READY,
    unit: smallReply,
    messages: 6,
    chunkBytes: smallReply.length,
  },
  {
    name: 'the same, split at odd places',
    interest: SERVER_READY,
    unit: smallReply,
    messages: 6,
    chunkBytes: 61,
  },
  rows(20),
  rows(100),
  rows(1_000),
  rows(8_000),
  rows(1_000_000),
  {
    name: 'Query of 60 bytes',
    interest: CLIENT_LEASED,
    unit: unit((writer) => encodeQuery(writer, 'x'.repeat(59))),
    messages: 1,
    chunkBytes: CHUNK_BYTES,
  },
  {
    name: 'CopyData of 100 bytes',
    interest: CLIENT_LEASED,
    unit: unit((writer) => message(writer, Frontend.CopyData, 100)),
    messages: 1,
    chunkBytes: CHUNK_BYTES,
  },
];

/** A stream of at least 1 MiB that ends at a unit's end, cut into chunks. */
function chunksOf(shape: Shape): { chunks: Buffer[]; units: number; bytes: number } {
  const units = Math.max(2, Math.ceil((1 << 20) / shape.unit.length));
  const stream = Buffer.concat(Array.from({ length: units }, () => shape.unit));
  const chunks: Buffer[] = [];
  for (let at = 0; at < stream.length; at += shape.chunkBytes) {
    chunks.push(stream.subarray(at, at + shape.chunkBytes));
  }
  return { chunks, units, bytes: stream.length };
}

function measure(shape: Shape): void {
  const { chunks, units, bytes } = chunksOf(shape);
  const sink = new CountingSink();
  const scanner = new FrameScanner(sink, shape.interest, MESSAGE_LENGTH_MAX);
  const round = () => {
    for (const chunk of chunks) scanner.scan(chunk);
  };
  const warmEnd = performance.now() + MEASURE_MS / 5;
  while (performance.now() < warmEnd) round();
  let rounds = 0;
  const start = performance.now();
  while (performance.now() < start + MEASURE_MS) {
    round();
    rounds++;
  }
  const elapsedMs = performance.now() - start;
  const nsPerMessage = (elapsedMs * 1e6) / (rounds * units * shape.messages);
  const mbPerSecond = (rounds * bytes) / 1e6 / (elapsedMs / 1e3);
  console.log(
    `${shape.name.padEnd(34)}${nsPerMessage.toFixed(1).padStart(10)} ns/message` +
      `${mbPerSecond.toFixed(0).padStart(12)} MB/s`,
  );
}

for (const shape of shapes) measure(shape);
