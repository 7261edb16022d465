import type { StorageDriver } from "../../kernel/storage/driver.ts";

/** A store that counts how often it is asked for something. */
export class CountedStorage implements StorageDriver {
  readonly name = "counted";
  readonly #store: StorageDriver;
  reads = 0;

  constructor(store: StorageDriver) {
    this.#store = store;
  }

  get(...asked: Parameters<StorageDriver["get"]>): ReturnType<StorageDriver["get"]> {
    this.reads += 1;
    return this.#store.get(...asked);
  }

  list(...asked: Parameters<StorageDriver["list"]>): ReturnType<StorageDriver["list"]> {
    this.reads += 1;
    return this.#store.list(...asked);
  }

  put(...asked: Parameters<StorageDriver["put"]>): ReturnType<StorageDriver["put"]> {
    return this.#store.put(...asked);
  }

  delete(...asked: Parameters<StorageDriver["delete"]>): ReturnType<StorageDriver["delete"]> {
    return this.#store.delete(...asked);
  }
}
