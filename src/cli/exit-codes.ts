/** What `sluice` ends with. 64 and 78 are EX_USAGE and EX_CONFIG of sysexits.h. */
export const ExitCode = {
  Ok: 0,
  /** A broken program, or something it cannot do without went away. */
  Crash: 1,
  Usage: 64,
  Config: 78,
} as const;
