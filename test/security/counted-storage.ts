import type { StorageDriver } from "../../kernel/storage/driver.ts";

/** A store that counts how often it is asked for something, and how often at once. */
export class CountedStorage implements StorageDriver {
  readonly name = "counted";
  readonly #store: StorageDriver;
  reads = 0;
  mostAtOnce = 0;
  #atOnce = 0;

  constructor(store: StorageDriver) {
    this.#store = store;
  }

  get(...asked: Parameters<StorageDriver["get"]>): ReturnType<StorageDriver["get"]> {
    return this.#counted(this.#store.get(...asked));
  }

  list(...asked: Parameters<StorageDriver["list"]>): ReturnType<StorageDriver["list"]> {
    return this.#counted(this.#store.list(...asked));
  }

  put(...asked: Parameters<StorageDriver["put"]>): ReturnType<StorageDriver["put"]> {
    return this.#store.put(...asked);
  }

  delete(...asked: Parameters<StorageDriver["delete"]>): ReturnType<StorageDriver["delete"]> {
    return this.#store.delete(...asked);
  }

  async #counted<T>(answer: Promise<T>): Promise<T> {
    this.reads += 1;
    this.#atOnce += 1;
    this.mostAtOnce = Math.max(this.mostAtOnce, this.#atOnce);
    try {
      return await answer;
    } finally {
      this.#atOnce -= 1;
    }
  }
}
