/**
 * Makes the pools that are to hold servers before anybody has come (`pool.min`). Which pools those
 * are is known where the login is: the database's own, or users of `auth.users` whom a service
 * claims whatever network or listener they come from. Everybody else's fill with their first
 * client.
 */
import type { Config } from '../config/snapshot.ts';
import type { Door } from '../session/door.ts';

export function warmPools(config: Config, door: Door): void {
  if (config.services.every(({ pool }) => pool.min === 0)) return;
  for (const database of config.databases.values()) {
    for (const user of config.auth.users.values()) {
      if (user.databases !== null && !user.databases.includes(database.name)) continue;
      const service = door.services.find({
        user: user.name,
        database: database.name,
        listener: '',
        listenerService: null,
        address: '',
        certificates: [],
      });
      const target = database.targets[0];
      if (service.config.pool.min === 0 || target === undefined) continue;
      // Whose password is known by a verifier only has nothing to log in with before its own login.
      const credentials = door.credentials(database, user.name);
      if (credentials.stored !== null && user.passwords.length > 0) continue;
      // The janitor dials for pools below their minimum.
      door.pools.get(service.config, database.name, target, credentials);
    }
  }
}
