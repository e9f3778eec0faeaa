/** What the operating system says of a process: the time it has used and the memory it holds. */
import { readFileSync } from 'node:fs';

/** Linux counts processor time in these (USER_HZ, sysconf(_SC_CLK_TCK)); 100 on every platform. */
const TICKS_PER_SECOND = 100;

export interface CpuSeconds {
  readonly user: number;
  readonly system: number;
}

/** Of all its threads. */
export function cpuSeconds(pid: number): CpuSeconds {
  const stat = readFileSync(`/proc/${pid}/stat`, 'latin1');
  // The second field is the program's name in parentheses, which may hold anything.
  const fields = stat.slice(stat.lastIndexOf(')') + 2).split(' ');
  return {
    user: Number(fields[11]) / TICKS_PER_SECOND,
    system: Number(fields[12]) / TICKS_PER_SECOND,
  };
}

export function cpuSince(pid: number, before: CpuSeconds): CpuSeconds {
  const now = cpuSeconds(pid);
  return { user: now.user - before.user, system: now.system - before.system };
}

export function residentBytes(pid: number): number {
  const match = /^VmRSS:\s+(\d+) kB$/m.exec(readFileSync(`/proc/${pid}/status`, 'latin1'));
  if (match === null) throw new Error(`no VmRSS for process ${pid}`);
  return Number(match[1]) * 1024;
}
