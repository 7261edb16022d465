import { cloudflareTest } from "@cloudflare/vitest-plugin";
import { defineConfig } from "vitest/config";

/**
 * Nobody reads what objects send: stories deliver, lose and double messages themselves (test/support/calls-queue.ts). The loader is
 * what programs may run in besides QuickJS.
 */
const WORKERD = { queueProducers: { CALLS: "unread" }, workerLoaders: { LOADER: {} } };

/** Minutes of load on real processes: `npm run test:load`, one after the other. */
const LOADS = [
  "test/e2e/{batch,gate,memory,resume}/**/*.test.ts",
  "test/e2e/llm/ten-thousand-calls.test.ts",
  "test/e2e/openai/crowd.test.ts",
];

/**
 * The goals of security with their figures, and the stories that show each of their guards alone: `npm run test:security`. Some
 * belong to every run of tests too.
 */
const SECURITY = {
  workerd: [
    "test/security/*.test.ts",
    "test/workers/{authorization,door}.test.ts",
    "test/kernel/security/*.test.ts",
    "test/kernel/storage/{files-in-sight,mounts,path}.test.ts",
  ],
  node: ["test/security/e2e/*.test.ts", "test/e2e/security/*.test.ts"],
};

/** Two places to test in: real workerd for the kernel and its objects, Node for what runs in Node. */
export default defineConfig({
  test: {
    // Most stories wait more than they compute: two files at a time halve the time also on two cores.
    maxWorkers: 2,
    // The access log of every request of every story.
    onConsoleLog: (line) => !line.startsWith('{"level":"info","event":"access.'),
    projects: [
      {
        plugins: [cloudflareTest({ wrangler: { configPath: "./wrangler.toml" }, miniflare: WORKERD })],
        test: {
          name: "workerd",
          include: ["test/{kernel,durable-objects,workers}/**/*.test.ts"],
          setupFiles: ["test/support/tables-of-d1.ts"],
          testTimeout: 20_000,
        },
      },
      {
        test: {
          name: "node",
          include: ["test/{clients,e2e,scripts}/**/*.test.ts"],
          exclude: LOADS,
          testTimeout: 120_000,
          hookTimeout: 120_000,
        },
      },
      {
        plugins: [cloudflareTest({ wrangler: { configPath: "./wrangler.toml" }, miniflare: WORKERD })],
        test: {
          name: "security",
          include: SECURITY.workerd,
          setupFiles: ["test/support/tables-of-d1.ts"],
          testTimeout: 300_000,
        },
      },
      {
        test: {
          name: "security-e2e",
          include: SECURITY.node,
          testTimeout: 300_000,
          hookTimeout: 120_000,
          fileParallelism: false,
        },
      },
      {
        test: {
          name: "load",
          include: LOADS,
          testTimeout: 300_000,
          hookTimeout: 120_000,
          fileParallelism: false,
        },
      },
    ],
  },
});
