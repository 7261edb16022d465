/** The real texts that test/fixtures/reading asks about, as they stand in the installed packages: one file, one document. */

type Files = Record<string, string>;

const ENGLISH = import.meta.glob<string>(
  [
    "../../../node_modules/{@sindresorhus/is,acorn,commander,croner,decimal.js,drizzle-orm,enhanced-resolve}/**/*.md",
    "../../../node_modules/{eventsource-parser,expect-type,hono,ignore,magic-string,miniflare,openai,picomatch}/**/*.md",
    "../../../node_modules/{prompts,semver,smol-toml,source-map,tapable,tinybench,undici,vite,wrangler,zod}/**/*.md",
    "!**/LICENSE.md",
    "!**/license.md",
  ],
  { query: "?raw", import: "default", eager: true },
);
const CHINESE = import.meta.glob<string>("../../../node_modules/miniprogram-api-typings/types/**/*.d.ts", {
  query: "?raw",
  import: "default",
  eager: true,
});

function named(files: Files): Files {
  return Object.fromEntries(Object.entries(files).map(([path, text]) => [path.replace(/^.*node_modules\//, ""), text]));
}

export const TEXTS: Record<"en" | "zh", Files> = { en: named(ENGLISH), zh: named(CHINESE) };
