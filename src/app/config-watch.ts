/**
 * Notices that a file of the configuration says something else than it did: the main file, secrets,
 * certificates. It watches folders, not files, because editors and Kubernetes replace files rather
 * than write to them (a mounted ConfigMap is a link through `..data`, and it is that link which is
 * renamed), and it looks at the contents every few seconds all the same: network file systems
 * report nothing, and a full table of watches must not mean that a rotated password is never seen.
 *
 * A change counts once the files have been still for a moment, so that one written in two steps is
 * not read in between, and only when a content differs: touching a file reloads nothing.
 */
import { type FSWatcher, watch } from 'node:fs';
import { readFile, realpath } from 'node:fs/promises';
import { dirname } from 'node:path';
import { digestOf } from '../config/load.ts';
import type { Log } from '../telemetry/logger.ts';
import type { Clock, Timer } from '../util/clock.ts';

const STILL_MS = 200;
const LOOK_EVERY_MS = 5_000;

export interface ConfigWatchOptions {
  readonly clock: Clock;
  readonly log: Log;
  /** The files to watch, with the digest of what each said when it was last read. */
  readonly files: () => ReadonlyMap<string, string | null>;
  readonly changed: (path: string) => Promise<unknown>;
}

export class ConfigWatch {
  readonly #options: ConfigWatchOptions;
  readonly #folders = new Map<string, FSWatcher>();
  readonly #looks: Timer;
  #still: Timer | null = null;
  #looking = false;
  #lookAgain = false;
  #stopped = false;

  constructor(options: ConfigWatchOptions) {
    this.#options = options;
    this.#looks = options.clock.every(LOOK_EVERY_MS, () => this.#stirred());
  }

  /** Resolves when every folder is being watched. What changed before that is seen as well. */
  async start(): Promise<void> {
    await this.#watchFolders();
    this.#stirred();
  }

  stop(): void {
    this.#stopped = true;
    this.#looks.cancel();
    this.#still?.cancel();
    for (const watcher of this.#folders.values()) watcher.close();
    this.#folders.clear();
  }

  #stirred(): void {
    if (this.#stopped) return;
    this.#still?.cancel();
    this.#still = this.#options.clock.after(STILL_MS, () => void this.#look());
  }

  /** Compares contents; when one differs, says so, and watches what is to be watched then. */
  async #look(): Promise<void> {
    if (this.#looking) {
      this.#lookAgain = true;
      return;
    }
    this.#looking = true;
    try {
      const changed = await this.#firstChanged();
      if (changed !== null && !this.#stopped) await this.#options.changed(changed);
      await this.#watchFolders();
    } catch (error) {
      this.#options.log.error('watching the configuration failed', { error });
    }
    this.#looking = false;
    if (!this.#lookAgain) return;
    this.#lookAgain = false;
    this.#stirred();
  }

  async #firstChanged(): Promise<string | null> {
    for (const [path, digest] of this.#options.files()) {
      const now = await readFile(path, 'utf8').then(digestOf, () => null);
      if (now !== digest) return path;
    }
    return null;
  }

  async #watchFolders(): Promise<void> {
    const wanted = new Set<string>();
    for (const path of this.#options.files().keys()) {
      wanted.add(dirname(path));
      // Behind a link, the file may also be written where it really is.
      wanted.add(dirname(await realpath(path).catch(() => path)));
    }
    if (this.#stopped) return;
    for (const [folder, watcher] of this.#folders) {
      if (wanted.has(folder)) continue;
      watcher.close();
      this.#folders.delete(folder);
    }
    for (const folder of wanted) if (!this.#folders.has(folder)) this.#watch(folder);
  }

  #watch(folder: string): void {
    try {
      const watcher = watch(folder, { persistent: false }, () => this.#stirred());
      watcher.on('error', () => this.#unwatch(folder, watcher));
      this.#folders.set(folder, watcher);
    } catch (error) {
      // The look every few seconds remains.
      this.#options.log.debug('a folder cannot be watched', { folder, error });
    }
  }

  /** A folder that was removed is watched again when it is back. */
  #unwatch(folder: string, watcher: FSWatcher): void {
    watcher.close();
    if (this.#folders.get(folder) === watcher) this.#folders.delete(folder);
  }
}
