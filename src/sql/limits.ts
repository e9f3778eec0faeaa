/**
 * The numbers that bound what a text can make the lexer and everything behind it do. A text past
 * one of them is not cut or guessed at: it is *unlexed*, and its statement is `Kind.Unknown`.
 * The lexer itself is linear and does not recurse; the limits protect whoever reads its result.
 */

/**
 * Characters of a text that are lexed on the event loop: about ten milliseconds of it. The design
 * lets longer ones be unknown, and the wire does not collect longer messages anyway.
 */
export const TEXT_LENGTH_MAX = 256 * 1024;

/**
 * Comments inside comments. The server's scanner goes over the whole rest of such a nest once per
 * level (measured: 10,000 levels, 40 KB, 0.7 s), so depth is an attack and not a style.
 */
export const COMMENT_DEPTH_MAX = 32;

/**
 * Parentheses inside parentheses. The real grammar's stack gives up near 5,000 ("memory
 * exhausted"), so a deeper text cannot run on any server and needs no facts.
 */
export const PAREN_DEPTH_MAX = 5_000;

/** A longer text is read afresh each time: few such are sent twice, and each holds memory. */
export const CACHED_TEXT_LENGTH_MAX = 8 * 1024;

/** NAMEDATALEN - 1: what the server keeps of an identifier, in bytes. */
export const IDENTIFIER_BYTES_MAX = 63;
