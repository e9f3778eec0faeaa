/**
 * A broken peer: bytes that no Postgres client or server may send. The link they came from closes,
 * after an 08P01 error where the peer can still read one. Never used for anything a well-behaved
 * peer can cause.
 */
export class ProtocolViolation extends Error {
  override readonly name = 'ProtocolViolation';
}
