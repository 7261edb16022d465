import { join } from "node:path";

/** The part of wrangler's configuration that names resources. Its own types come from a package that it does not install. */
export interface Configuration {
  d1_databases: { binding: string; database_name: string; database_id: string }[];
  kv_namespaces: { binding: string; id?: string }[];
  r2_buckets: { bucket_name: string }[];
  queues: { producers: { queue: string }[]; consumers: { queue: string; dead_letter_queue?: string }[] };
}

/** wrangler.toml of `root`, with wrangler's defaults. */
export async function readConfiguration(root: string): Promise<Configuration> {
  const { unstable_readConfig } = await import("wrangler");
  return unstable_readConfig({ config: join(root, "wrangler.toml") }) as Configuration;
}
