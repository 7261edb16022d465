import { resolve } from "node:path";
import { describe, expect, it } from "vitest";
import { readConfiguration } from "../../scripts/deploy/configuration.ts";
import { explainPlaceholders, missingSecrets } from "../../scripts/deploy/readiness.ts";

const ROOT = resolve(import.meta.dirname, "../..");

describe("npm run deploy", () => {
  it("explains every placeholder of wrangler.toml: what to run and where the id goes", async () => {
    const explanation = explainPlaceholders(await readConfiguration(ROOT));
    expect(explanation).toContain("npx wrangler d1 create agent-os-kernel\n");
    expect(explanation).toContain('database_id of [[d1_databases]] with binding "DB"');
    expect(explanation).toContain("npx wrangler r2 bucket create agent-os-kernel-pages");
    expect(explanation?.match(/queues create agent-os-kernel-calls$/gm)).toHaveLength(1);
    expect(explanation).toContain("npx wrangler queues create agent-os-kernel-calls-dead");
  });

  it("goes on when the ids are real", async () => {
    const configuration = await readConfiguration(ROOT);
    const d1_databases = configuration.d1_databases.map((database) => ({ ...database, database_id: "5f1c-a9" }));
    const kv_namespaces = configuration.kv_namespaces.map((namespace) => ({ ...namespace, id: "5f1ca9" }));
    expect(explainPlaceholders({ ...configuration, d1_databases })).toContain("npx wrangler kv namespace create CACHE");
    expect(explainPlaceholders({ ...configuration, d1_databases, kv_namespaces })).toBeNull();
  });

  it("refuses without the bootstrap key", () => {
    expect(missingSecrets('[{"name":"OPENAI_API_KEY","type":"secret_text"}]')).toContain("AOS_ADMIN_KEY");
    expect(missingSecrets('[{"name":"AOS_ADMIN_KEY","type":"secret_text"}]')).toBeNull();
  });
});
