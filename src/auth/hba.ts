/**
 * What an HBA file says about one client: the first entry that fits decides, as in Postgres, and
 * whom none fits is turned away. Reading the file is the configuration's business.
 */
import { networkInterfaces } from 'node:os';
import { NetworkSet } from '../util/networks.ts';

export type LoginMethod = 'trust' | 'reject' | 'md5' | 'scram-sha-256' | 'cert';

/** A name as it was written, or a word with a meaning; quoted words have none. */
export interface HbaName {
  readonly text: string;
  readonly keyword: 'all' | 'sameuser' | 'replication' | null;
}

/** One entry (`HbaRuleConfig` of the snapshot has this shape). */
export interface HbaRule {
  readonly line: number;
  readonly encryption: 'any' | 'tls' | 'plain';
  readonly databases: readonly HbaName[];
  readonly users: readonly HbaName[];
  /** CIDR networks, or a word for some of them. */
  readonly addresses: readonly string[] | 'all' | 'samehost' | 'samenet';
  readonly method: LoginMethod;
}

export interface HbaQuestion {
  readonly user: string;
  readonly database: string;
  readonly address: string;
  readonly encrypted: boolean;
}

interface Entry {
  readonly rule: HbaRule;
  /** Null is every address. */
  readonly networks: NetworkSet | null;
}

export class Hba {
  readonly #entries: readonly Entry[];

  /** `samehost` and `samenet` are what this machine's interfaces say now. */
  constructor(rules: readonly HbaRule[]) {
    this.#entries = rules.map((rule) => ({ rule, networks: networksOf(rule) }));
  }

  /** The entry that decides; null when none fits. */
  find(question: HbaQuestion): HbaRule | null {
    return this.#entries.find((entry) => fits(entry, question))?.rule ?? null;
  }
}

function fits({ rule, networks }: Entry, question: HbaQuestion): boolean {
  const { user, database, address, encrypted } = question;
  if (rule.encryption === (encrypted ? 'plain' : 'tls')) return false;
  if (networks !== null && !networks.has(address)) return false;
  return (
    rule.users.some((name) => name.keyword === 'all' || isName(name, user)) &&
    rule.databases.some(
      (name) =>
        name.keyword === 'all' ||
        (name.keyword === 'sameuser' && user === database) ||
        isName(name, database),
    )
  );
}

function isName(name: HbaName, text: string): boolean {
  return name.keyword === null && name.text === text;
}

function networksOf({ addresses }: HbaRule): NetworkSet | null {
  if (addresses === 'all') return null;
  if (typeof addresses !== 'string') return new NetworkSet(addresses);
  const own = Object.values(networkInterfaces()).flatMap((list) => list ?? []);
  const bare = (text: string): string => text.split('%', 1)[0] as string;
  return new NetworkSet(
    addresses === 'samehost'
      ? own.map(({ address }) => bare(address))
      : own.flatMap(({ cidr }) =>
          cidr === null ? [] : [bare(cidr.split('/')[0]!) + cidr.slice(cidr.indexOf('/'))],
        ),
  );
}
