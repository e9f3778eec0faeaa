/**
 * Every number that bounds what a peer can make this process hold or believe, with its source.
 * Limits are checked on the length a peer announces, before anything is allocated for it. Lengths
 * count as the protocol counts: the four length bytes are included, the code byte is not.
 *
 * What an operator may choose (`limits.message_bytes`) is configuration, not here.
 */

/** Code byte and Int32 length. */
export const HEADER_BYTES = 5;

/** The length field counts itself, so less than 4 is nonsense (pqcomm.c: pq_getmessage). */
export const MESSAGE_LENGTH_MIN = 4;

/** Postgres's MaxAllocSize - 1 (PQ_LARGE_MESSAGE_LIMIT): a server refuses anything longer. */
export const MESSAGE_LENGTH_MAX = 0x3fffffff - 1;

/** MAX_STARTUP_PACKET_LENGTH. The shortest is a length and a request code. */
export const STARTUP_PACKET_LENGTH_MAX = 10_000;
export const STARTUP_PACKET_LENGTH_MIN = 8;

/** More than any client sends; bounds the work done for a packet that is not yet trusted. */
export const STARTUP_PARAMETERS_MAX = 256;

/** PG_MAX_AUTH_TOKEN_LENGTH: passwords, SASL and GSS tokens. */
export const AUTH_MESSAGE_LENGTH_MAX = 65_535;

/** BackendKeyData and CancelRequest in protocol 3.2 ("minimum 4 bytes, maximum 256"). */
export const CANCEL_KEY_BYTES_MIN = 4;
export const CANCEL_KEY_BYTES_MAX = 256;

/**
 * A PEEK message up to this size, header included, is handed over whole; of a longer one (a huge
 * Query, Parse or Bind) only the head is looked at and the rest streams. 256 KiB is the design's
 * size up to which a text is lexed on the loop, and far above what people write by hand.
 */
export const PEEKED_BODY_BYTES_MAX = 256 * 1024;

/**
 * How much of a streamed message is looked at, header included: enough for two names of any sane
 * length and a first keyword, and small enough to be copied without thought at a chunk's seam.
 */
export const HEAD_BYTES = 4096;

/** A writer starts this large and gives the memory back when a message made it grow past that. */
export const WRITER_BYTES_INITIAL = 1024;
export const WRITER_BYTES_KEPT_MAX = 64 * 1024;
