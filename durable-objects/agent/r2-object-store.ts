import type { ObjectStore } from "../../kernel/ports.ts";

/** The `ObjectStore` port over an R2 bucket. */
export class R2ObjectStore implements ObjectStore {
  readonly #bucket: R2Bucket;

  constructor(bucket: R2Bucket) {
    this.#bucket = bucket;
  }

  async put(key: string, bytes: Uint8Array): Promise<void> {
    await this.#bucket.put(key, bytes);
  }

  async get(key: string, range?: { offset: number; length: number }): Promise<Uint8Array | null> {
    const object = await this.#bucket.get(key, range === undefined ? {} : { range });
    return object === null ? null : new Uint8Array(await object.arrayBuffer());
  }

  async delete(keys: readonly string[]): Promise<void> {
    if (keys.length > 0) await this.#bucket.delete([...keys]);
  }

  async list(prefix: string, cursor?: string): Promise<{ keys: string[]; cursor: string | null }> {
    const page = await this.#bucket.list({ prefix, ...(cursor === undefined ? {} : { cursor }) });
    return { keys: page.objects.map((object) => object.key), cursor: page.truncated ? page.cursor : null };
  }
}
