import { err, KernelBug, ok, type Result } from "../errors.ts";
import type { Sight } from "../security/sight.ts";
import type { FileEntry, FileListing, FileRange, FileVersion, StorageDriver, WriteOptions } from "./driver.ts";
import { pageSize } from "./drivers/rules.ts";
import { FilesInSight } from "./files-in-sight.ts";
import { comparePaths, mountOf, resolvePath } from "./path.ts";

/**
 * An agent's whole file system: resolves every path and sends it to the driver mounted there. The API gets
 * this, and system calls get it as far as their process sees it, never a driver, so that no path reaches storage unchecked. Drivers see absolute paths.
 */
export class Mounts implements StorageDriver {
  readonly name = "mounts";
  /** By mount, in the order in which their paths sort. */
  readonly #drivers: ReadonlyMap<string, StorageDriver>;

  /** `drivers` by mount: `{ "/workspace": ... }`. */
  constructor(drivers: Readonly<Record<string, StorageDriver>>) {
    const entries = Object.entries(drivers).sort(([a], [b]) => comparePaths(`${a}/`, `${b}/`));
    const wrong = entries.find(([mount]) => !/^\/[a-z0-9-]+$/.test(mount));
    if (wrong !== undefined) throw new KernelBug(`${wrong[0]} is no mount`);
    this.#drivers = new Map(entries);
  }

  async get(path: string, range?: FileRange): Promise<Result<{ file: FileEntry; bytes: Uint8Array }>> {
    const place = this.#place(path);
    return place.ok ? place.value.driver.get(place.value.path, range) : place;
  }

  async put(path: string, bytes: Uint8Array, options: WriteOptions = {}): Promise<Result<FileEntry>> {
    const place = this.#place(path);
    return place.ok ? place.value.driver.put(place.value.path, bytes, options) : place;
  }

  async delete(path: string, options: Pick<WriteOptions, "key"> = {}): Promise<Result<null>> {
    const place = this.#place(path);
    return place.ok ? place.value.driver.delete(place.value.path, options) : place;
  }

  async versions(path: string): Promise<Result<FileVersion[]>> {
    const place = this.#place(path);
    if (!place.ok) return place;
    return (await place.value.driver.versions?.(place.value.path)) ?? ok([]);
  }

  async getVersion(path: string, version: number): Promise<Result<{ file: FileEntry; bytes: Uint8Array }>> {
    const place = this.#place(path);
    if (!place.ok) return place;
    const got = await place.value.driver.getVersion?.(place.value.path, version);
    return got ?? err("not_found", `${place.value.path} has no earlier versions.`);
  }

  /** Writes an earlier version again, as a new one: nothing is lost by it, and it brings back a file that was deleted. */
  async rollback(path: string, version: number): Promise<Result<FileEntry>> {
    const got = await this.getVersion(path, version);
    return got.ok ? this.put(path, got.value.bytes) : got;
  }

  /** As the driver's, with `prefix` resolved first: `docs/` lists that folder, `/` every mount. */
  async list(prefix: string, options: { limit: number; cursor?: string | undefined }): Promise<Result<FileListing>> {
    const resolved = resolvePath(prefix);
    if (!resolved.ok) return resolved;
    if (resolved.value === "/") return this.#listAll(options);
    const driver = this.#driver(resolved.value);
    return driver.ok ? driver.value.list(resolved.value, options) : driver;
  }

  /** These files as a process sees them that has no more than `sight`. */
  seenWith(sight: Sight): FilesInSight {
    return new FilesInSight(this, sight);
  }

  async #listAll(options: { limit: number; cursor?: string | undefined }): Promise<Result<FileListing>> {
    const limit = pageSize(options.limit);
    const items: FileEntry[] = [];
    for (const [mount, driver] of this.#drivers) {
      if (items.length === limit) return ok({ items, nextCursor: items.at(-1)?.path ?? null });
      const listed = await driver.list(`${mount}/`, { limit: limit - items.length, cursor: options.cursor });
      if (!listed.ok) return listed;
      items.push(...listed.value.items);
      if (listed.value.nextCursor !== null) return ok({ items, nextCursor: listed.value.nextCursor });
    }
    return ok({ items, nextCursor: null });
  }

  #place(text: string): Result<{ path: string; driver: StorageDriver }> {
    const path = resolvePath(text);
    if (!path.ok) return path;
    const driver = this.#driver(path.value);
    if (!driver.ok) return driver;
    if (path.value.endsWith("/")) return err("invalid_input", `${path.value} is a folder, not a file.`);
    return ok({ path: path.value, driver: driver.value });
  }

  #driver(path: string): Result<StorageDriver> {
    const driver = this.#drivers.get(mountOf(path));
    if (driver !== undefined) return ok(driver);
    return err("not_found", `Nothing is mounted at ${mountOf(path)}. Mounts: ${[...this.#drivers.keys()].join(", ")}.`);
  }
}
