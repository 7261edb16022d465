import type { PlatformMeter } from "../../kernel/platform/platform-meter.ts";
import type { ObjectStore } from "../../kernel/ports.ts";

/** The `ObjectStore` port over an R2 bucket; the meter counts the operations that the platform bills. */
export class R2ObjectStore implements ObjectStore {
  readonly #bucket: R2Bucket;
  readonly #meter: Pick<PlatformMeter, "add"> | undefined;

  constructor(bucket: R2Bucket, meter?: Pick<PlatformMeter, "add">) {
    this.#bucket = bucket;
    this.#meter = meter;
  }

  async put(key: string, bytes: Uint8Array): Promise<void> {
    this.#meter?.add({ r2ClassA: 1 });
    await this.#bucket.put(key, bytes);
  }

  async get(key: string, range?: { offset: number; length: number }): Promise<Uint8Array | null> {
    this.#meter?.add({ r2ClassB: 1 });
    const object = await this.#bucket.get(key, range === undefined ? {} : { range });
    return object === null ? null : new Uint8Array(await object.arrayBuffer());
  }

  async delete(keys: readonly string[]): Promise<void> {
    if (keys.length > 0) await this.#bucket.delete([...keys]);
  }

  async list(prefix: string, cursor?: string): Promise<{ keys: string[]; cursor: string | null }> {
    this.#meter?.add({ r2ClassA: 1 });
    const page = await this.#bucket.list({ prefix, ...(cursor === undefined ? {} : { cursor }) });
    return { keys: page.objects.map((object) => object.key), cursor: page.truncated ? page.cursor : null };
  }
}
