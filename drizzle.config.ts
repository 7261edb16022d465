import { defineConfig } from "drizzle-kit";

/** One object's schema at a time: `SCHEMA=agent npx drizzle-kit generate`. */
const schema = process.env["SCHEMA"] ?? "agent";

export default defineConfig({
  dialect: "sqlite",
  schema: schema === "d1" ? "./durable-objects/d1/schema.ts" : `./durable-objects/${schema}/schema/*.ts`,
  out: `./migrations/${schema}`,
});
