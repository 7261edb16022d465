import { DurableObject } from "cloudflare:workers";
import type { Result } from "../../kernel/errors.ts";
import { FileLabels } from "../../kernel/process/file-labels.ts";
import type { FileRange, WriteOptions } from "../../kernel/storage/driver.ts";
import { LabelledStorage } from "../../kernel/storage/drivers/labelled.ts";
import { SqliteStorage } from "../../kernel/storage/drivers/sqlite.ts";
import { SHARED } from "../../kernel/storage/path.ts";
import { SharedRoom } from "../../kernel/storage/shared-room.ts";
import type { ObjectEnv } from "../env.ts";
import { migrate } from "../migrations.ts";
import { sqlOf, systemClock, systemHash } from "../ports.ts";
import { SHARED_FILES_MIGRATIONS } from "./migrations.ts";
import type { SharedFilesRpc } from "./rpc.ts";

/**
 * `/shared` of one tenant (named after it): the stateful shell around the driver that agents' own files stand in. It has no alarm and
 * does nothing by itself. Agents reach it through their mounts, which have judged path, level and grants by then.
 */
export class SharedFiles extends DurableObject<ObjectEnv> implements SharedFilesRpc {
  readonly #sql = sqlOf(this.ctx.storage);
  #laid: Result<null> | null = null;
  #files: LabelledStorage | null = null;

  async read(path: string, range?: FileRange) {
    return this.#with((files) => files.get(path, range));
  }

  async write(path: string, bytes: Uint8Array, options: WriteOptions) {
    return this.#with((files) => files.put(path, bytes, options));
  }

  async remove(path: string, options: Pick<WriteOptions, "key">) {
    return this.#with((files) => files.delete(path, options));
  }

  async list(prefix: string, options: { limit: number; cursor?: string | undefined }) {
    return this.#with((files) => files.list(prefix, options));
  }

  async #with<T>(work: (files: LabelledStorage) => Promise<Result<T>>): Promise<Result<T>> {
    if (this.#laid?.ok !== true) this.#laid = migrate(this.#sql, SHARED_FILES_MIGRATIONS, systemClock.now());
    return this.#laid.ok ? work(this.#open()) : this.#laid;
  }

  #open(): LabelledStorage {
    const ports = { sql: this.#sql, clock: systemClock, hash: systemHash };
    const store: SqliteStorage = new SqliteStorage(ports, new SharedRoom(() => store.stored()));
    this.#files ??= new LabelledStorage(store, new FileLabels(this.#sql, SHARED));
    return this.#files;
  }
}
