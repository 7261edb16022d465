import debianInstall from "../../fixtures/reading/debian-install-zh.json" with { type: "json" };
import electron from "../../fixtures/reading/electron.json" with { type: "json" };
import gnucash from "../../fixtures/reading/gnucash.json" with { type: "json" };
import manual from "../../fixtures/reading/manual.json" with { type: "json" };
import packages from "../../fixtures/reading/packages.json" with { type: "json" };
import postgres from "../../fixtures/reading/postgres.json" with { type: "json" };
import sqlite from "../../fixtures/reading/sqlite.json" with { type: "json" };
import typings from "../../fixtures/reading/typings.json" with { type: "json" };

/** The real texts that test/fixtures/reading asks about: committed, or as they stand in the installed packages. */

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

const COMMITTED = import.meta.glob<string>("../../fixtures/reading/*.txt", {
  query: "?raw",
  import: "default",
  eager: true,
});

function named(files: Files): Files {
  return Object.fromEntries(Object.entries(files).map(([path, text]) => [path.replace(/^.*node_modules\//, ""), text]));
}

function committed(name: string): Files {
  return { [name]: COMMITTED[`../../fixtures/reading/${name}`] ?? "" };
}

export interface Reading {
  name: string;
  /** By source, one document each. */
  texts: Files;
  questions: readonly { ask: string; passage: string }[];
  /** Of ten questions, so many have the right page among the first three. The goal is 8 (docs/decisions/0022-search.md). */
  leastFound: number;
  leastCited: number;
}

export const READINGS: readonly Reading[] = [
  {
    name: "an English manual",
    texts: committed("manual.txt"),
    questions: manual.questions,
    leastFound: 6,
    leastCited: 6,
  },
  {
    name: "documents of a database",
    texts: committed("sqlite.txt"),
    questions: sqlite.questions,
    leastFound: 7,
    leastCited: 7,
  },
  {
    name: "Chinese tutorials",
    texts: committed("electron.txt"),
    questions: electron.questions,
    leastFound: 8,
    leastCited: 8,
  },
  {
    name: "the Markdown of packages",
    texts: named(ENGLISH),
    questions: packages.questions,
    leastFound: 8,
    leastCited: 8,
  },
  {
    name: "Chinese type definitions",
    texts: named(CHINESE),
    questions: typings.questions,
    leastFound: 8,
    leastCited: 8,
  },
  {
    name: "chapters on another database",
    texts: committed("postgres.txt"),
    questions: postgres.questions,
    leastFound: 6,
    leastCited: 5,
  },
  {
    name: "a guide to bookkeeping",
    texts: committed("gnucash.txt"),
    questions: gnucash.questions,
    leastFound: 5,
    leastCited: 5,
  },
  {
    name: "a Chinese installation guide",
    texts: committed("debian-install-zh.txt"),
    questions: debianInstall.questions,
    leastFound: 5,
    leastCited: 6,
  },
];
