/**
 * Where a client that has proved who it is belongs: its service, its pool, and what its session
 * looks like to begin with. The last may have to be asked of a server, so it can take a while.
 */
import type { Pool } from '../backend/pool.ts';
import type { User } from '../auth/user-store.ts';
import type { DatabaseConfig } from '../config/snapshot.ts';
import { type ProxyError, refuse } from '../errors/proxy-error.ts';
import { assert } from '../util/assert.ts';
import type { Door } from './door.ts';
import {
  findProfile,
  type LoginProfile,
  type ProfileProbe,
  type ProfileResult,
  type SettingRefused,
} from './login-profile.ts';
import type { Service } from './service.ts';
import type { ClientIdentity } from './services.ts';

export interface Placed {
  readonly service: Service;
  readonly pool: Pool;
  readonly profile: LoginProfile;
}

export interface NotPlaced {
  /** A refusal of ours, or what the server said of a setting. */
  readonly refused: ProxyError | SettingRefused;
  /** Null when it was not even known which service it would have been. */
  readonly service: Service | null;
}

export class Placement {
  readonly #door: Door;
  readonly #identity: ClientIdentity;
  readonly #user: User | null;
  readonly #settings: ReadonlyMap<string, string>;
  readonly #done: (result: Placed | NotPlaced) => void;
  #service: Service | null = null;
  #probe: ProfileProbe | null = null;
  /** Whether the service counts the client, and nobody else will take it off again. */
  #counted = false;
  #abandoned = false;

  constructor(
    door: Door,
    identity: ClientIdentity,
    user: User | null,
    settings: ReadonlyMap<string, string>,
    done: (result: Placed | NotPlaced) => void,
  ) {
    this.#door = door;
    this.#identity = identity;
    this.#user = user;
    this.#settings = settings;
    this.#done = done;
  }

  /** `done` is called now or later, once, unless `abandon` comes first. */
  start(): void {
    const { database } = this.#identity;
    const config = this.#door.databases.get(database);
    if (config === undefined) {
      this.#refuse(refuse('unknown_database', { values: { database } }));
      return;
    }
    if (this.#user?.mayOpen(database) === false) {
      this.#refuse(refuse('database_not_allowed', { values: { database } }));
      return;
    }
    const service = this.#door.services.find(this.#identity);
    this.#service = service;
    if (service.clients >= service.config.pool.maxClients) {
      this.#refuse(refuse('client_limit', { values: { service: service.name } }));
      return;
    }
    // Counted from here on, so that those who are being placed cannot exceed the limit together.
    service.clients++;
    this.#counted = true;
    this.#askForProfile(service, config);
  }

  /** The client has gone. */
  abandon(): void {
    if (this.#abandoned) return;
    this.#abandoned = true;
    this.#probe?.abandon();
    if (this.#counted && this.#service !== null) this.#service.clients--;
  }

  #askForProfile(service: Service, database: DatabaseConfig): void {
    const target = database.targets[0];
    assert(target !== undefined, 'a database without targets');
    const login = this.#door.credentials(database, this.#identity.user);
    const pool = this.#door.pools.get(service.config, database.name, target, login);
    this.#probe = findProfile(pool, this.#settings, (result) => {
      this.#probe = null;
      if (this.#abandoned) return;
      this.#counted = false;
      if (typeof result === 'object' && 'settings' in result) {
        this.#done({ service, pool, profile: result });
      } else {
        service.clients--;
        this.#refuse(reasonFor(result, database.name));
      }
    });
  }

  #refuse(refused: ProxyError | SettingRefused): void {
    this.#done({ refused, service: this.#service });
  }
}

function reasonFor(
  result: Exclude<ProfileResult, LoginProfile>,
  database: string,
): ProxyError | SettingRefused {
  return result === 'lost' ? refuse('target_down', { values: { database } }) : result;
}
