/**
 * Nothing outlives us. A Postgres server does not notice when the process that started it dies, and
 * a process killed with SIGKILL runs no exit handler; so the cleaning is done by a second process:
 * a shell that waits for the end of a pipe. The operating system closes our end of it however we
 * die, and then the shell ends the servers and removes the folder.
 *
 * Every line written to the pipe is the complete list of the process ids now running. We are the
 * parent of all of them, so an id cannot be given to somebody else before we have seen the exit and
 * written the shorter list; that is what makes killing by id safe here, where reading an old
 * postmaster.pid would not be.
 *
 * Rejected: handlers for `exit` and signals alone (no help against SIGKILL or a crash of the
 * runtime), cleaning up at the next start (a server meanwhile holds its memory, and a person sees
 * it), and PR_SET_PDEATHSIG (not reachable from Node). What remains: if the whole session, the
 * shell included, is killed at once, as when a container stops, the processes are gone with it but
 * the folder under the temporary directory stays.
 */
import { spawn } from 'node:child_process';
import { SetupFailure } from './setup-failure.ts';

/**
 * SIGQUIT is Postgres's immediate shutdown: it needs no clients to leave and frees shared memory.
 * The postmaster gives its children five seconds before SIGKILL, so ten are enough for all of them.
 * The folder may need several tries: backends of a postmaster that was killed write until they
 * notice. Once we are gone, the exited servers belong to process 1, which in many containers never
 * collects them: a zombie (where /proc tells) counts as gone.
 */
const SCRIPT = `
trap '' HUP INT TERM
lives() {
  kill -0 "$1" 2>/dev/null && ! grep -q '^State:.Z' "/proc/$1/status" 2>/dev/null
}
pids=
while read -r line; do pids=$line; done
for pid in $pids; do kill -QUIT "$pid" 2>/dev/null; done
tries=0
while [ "$tries" -lt 100 ]; do
  alive=
  for pid in $pids; do if lives "$pid"; then alive="$alive $pid"; fi; done
  if [ -z "$alive" ]; then break; fi
  pids=$alive
  sleep 0.1
  tries=$((tries + 1))
done
for pid in $alive; do kill -KILL "$pid" 2>/dev/null; done
tries=0
until rm -rf -- "$1" 2>/dev/null || [ "$tries" -ge 20 ]; do
  sleep 0.1
  tries=$((tries + 1))
done
`;

export interface Watchdog {
  /** Throws once `finish` was called: a process started then would be nobody's. */
  assertOpen(): void;
  /** From now on this process is ended when we die. Called in the same turn as it was started. */
  add(pid: number): void;
  /** This process has exited and been waited for. */
  remove(pid: number): void;
  /** Ends what is still listed, removes the folder, and resolves when that is done. */
  finish(): Promise<void>;
}

/** Watches over `folder` and, as they are added, the processes that use it. */
export function startWatchdog(folder: string): Watchdog {
  const pids = new Set<number>();
  // Its own session: Ctrl-C at the terminal goes to the foreground process group, and must not end
  // the one process that is there to clean up.
  const shell = spawn('/bin/sh', ['-c', SCRIPT, 'sluice-watchdog', folder], {
    cwd: '/',
    detached: true,
    stdio: ['pipe', 'ignore', 'ignore'],
  });
  const exited = new Promise<void>((resolve) => {
    shell.on('close', () => resolve());
    shell.on('error', () => resolve());
  });
  // The shell ends only after we do, or when told; a write to one that somebody killed is lost.
  shell.stdin.on('error', () => {});
  shell.unref();
  (shell.stdin as unknown as { unref(): void }).unref();
  let finishing = false;
  const tell = (): void => {
    if (!finishing) shell.stdin.write(`${[...pids].join(' ')}\n`);
  };
  return {
    assertOpen() {
      if (finishing) throw new SetupFailure('The cluster is being stopped.');
    },
    add(pid) {
      pids.add(pid);
      tell();
    },
    remove(pid) {
      if (pids.delete(pid)) tell();
    },
    finish() {
      finishing = true;
      shell.ref();
      shell.stdin.end();
      return exited;
    },
  };
}
