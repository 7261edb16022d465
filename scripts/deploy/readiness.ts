import type { Configuration } from "./configuration.ts";

/** What has to exist at Cloudflare before a deployment can work, and how to make it. */

const PLACEHOLDER = /^[0-]*$/;
const ADMIN_KEY = "AOS_ADMIN_KEY";

/** What to run and where each id goes, when wrangler.toml still holds placeholders; else null. */
export function explainPlaceholders(configuration: Configuration): string | null {
  const { d1_databases: databases, kv_namespaces: namespaces } = configuration;
  const ids = [...databases.map(({ database_id }) => database_id), ...namespaces.map(({ id = "" }) => id)];
  if (!ids.some((id) => PLACEHOLDER.test(id))) return null;
  return [
    "wrangler.toml holds placeholder ids, so nothing was deployed. Make the real things once:",
    "",
    "  npx wrangler login",
    ...databases.flatMap(({ binding, database_name }) => [
      `  npx wrangler d1 create ${database_name}`,
      `      and put the id that it prints into wrangler.toml: database_id of [[d1_databases]] with binding "${binding}"`,
    ]),
    ...namespaces.flatMap(({ binding }) => [
      `  npx wrangler kv namespace create ${binding}`,
      `      and put the id that it prints into wrangler.toml: id of [[kv_namespaces]] with binding "${binding}"`,
    ]),
    ...configuration.r2_buckets.map(({ bucket_name }) => `  npx wrangler r2 bucket create ${bucket_name}`),
    ...queuesOf(configuration).map((queue) => `  npx wrangler queues create ${queue}`),
    `  npx wrangler secret put ${ADMIN_KEY}`,
    "      the bootstrap key, at least 16 characters: it administers all tenants; keep it",
    "  npx wrangler secret put AOS_SECRETS_KEY",
    "      at least 32 random characters that seal credentials for hosts outside; without it they cannot be stored",
    "  npx wrangler secret put OPENAI_API_KEY",
    "      or DEEPSEEK_API_KEY, KIMI_API_KEY; without any, agents run on the embedded local/reader",
    "",
    "Then run `npm run deploy` again.",
  ].join("\n");
}

/** What is wrong with the secrets that `wrangler secret list` printed as JSON; null when nothing is. */
export function missingSecrets(json: string): string | null {
  const secrets = JSON.parse(json) as { name: string }[];
  if (secrets.some(({ name }) => name === ADMIN_KEY)) return null;
  return `the secret ${ADMIN_KEY} is not set, so the kernel would let nobody in; run: npx wrangler secret put ${ADMIN_KEY}`;
}

function queuesOf({ queues }: Configuration): string[] {
  const consumed = queues.consumers.flatMap(({ queue, dead_letter_queue }) => [queue, dead_letter_queue ?? queue]);
  return [...new Set([...queues.producers.map(({ queue }) => queue), ...consumed])];
}
