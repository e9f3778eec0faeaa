/**
 * The machine lacks something the demo or the test cluster needs, or Postgres refused to start. The
 * message is written for the person at the terminal and is complete without a stack trace.
 */
export class SetupFailure extends Error {
  override readonly name = 'SetupFailure';
}
