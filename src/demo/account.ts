/**
 * Postgres refuses to run as root, and so does initdb. Under root, every Postgres process of ours
 * is therefore started as an unprivileged account of the machine; as anybody else, as that user.
 *
 * The account must have a line in /etc/passwd: initdb looks its own user up by name and gives up
 * without one, even when `--username` is given. That is why a bare numeric uid is not tried, and
 * why none is created: a demo does not add accounts to somebody's machine.
 */
import { readFile } from 'node:fs/promises';
import { SetupFailure } from './setup-failure.ts';

export interface Account {
  readonly uid: number;
  readonly gid: number;
}

/** In order of preference: the account made for this, then those every Linux and macOS has. */
const CANDIDATES = ['postgres', '_postgres', 'nobody', 'daemon'];

/** The account Postgres has to run as, or null: as whoever we are. */
export async function postgresAccount(): Promise<Account | null> {
  if (process.platform === 'win32') {
    throw new SetupFailure(
      'The embedded Postgres cluster runs on Linux and macOS, not on Windows.',
    );
  }
  if (process.getuid?.() !== 0) return null;
  const passwd = await readFile('/etc/passwd', 'utf8');
  const account = chooseAccount(passwd);
  if (account === null) {
    throw new SetupFailure(
      `Postgres refuses to run as root, and /etc/passwd has none of the accounts ` +
        `${CANDIDATES.join(', ')} to run it as. Start this as an ordinary user.`,
    );
  }
  return account;
}

/** Reads passwd(5) lines: name, password, uid, gid, and what does not matter here. */
export function chooseAccount(passwd: string): Account | null {
  const lines = passwd.split('\n').map((line) => line.split(':'));
  for (const name of CANDIDATES) {
    const fields = lines.find((line) => line[0] === name);
    const uid = Number(fields?.[2]);
    const gid = Number(fields?.[3]);
    // macOS gives `nobody` the uid -2, which chown(2) cannot be asked for from here.
    if (Number.isInteger(uid) && Number.isInteger(gid) && uid > 0 && gid > 0) return { uid, gid };
  }
  return null;
}
