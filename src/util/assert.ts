/**
 * `assert` is for a broken program only: something this code base promised itself and did not keep.
 * A broken peer is a `ProtocolViolation`, an expected refusal is a catalog error (see `errors/`).
 * The message is a constant, so that a passing assertion allocates nothing.
 */
export class AssertionFailed extends Error {
  override readonly name = 'AssertionFailed';
}

export function assert(condition: boolean, message: string): asserts condition {
  if (!condition) throw new AssertionFailed(message);
}

/** Marks a branch the types say cannot be reached, and says so loudly if it is. */
export function unreachable(value: never, message: string): never {
  throw new AssertionFailed(`${message}: ${String(value)}`);
}
