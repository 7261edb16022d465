/**
 * The arrows: clients -> (HTTP) -> workers -> durable-objects -> kernel. Read by @swc/core, because TypeScript 7 has no
 * compiler API that dependency-cruiser could use. Its swc reader does not know `using` declarations: write try/finally.
 *
 * @type {import("dependency-cruiser").IConfiguration}
 */
module.exports = {
  forbidden: [
    {
      name: "kernel-knows-no-platform",
      comment: "The same kernel runs in objects, in Miniflare and in plain Node: the platform comes in through ports.",
      severity: "error",
      from: { path: "^kernel/" },
      to: { path: "^cloudflare:" },
    },
    {
      name: "kernel-knows-no-core-module",
      severity: "error",
      from: { path: "^kernel/" },
      to: { dependencyTypes: ["core"] },
    },
    {
      name: "kernel-stands-alone",
      severity: "error",
      from: { path: "^kernel/" },
      to: { path: "^(durable-objects|workers|clients|scripts|test|migrations)/" },
    },
    {
      name: "durable-objects-use-the-kernel-only",
      severity: "error",
      from: { path: "^durable-objects/" },
      to: { path: "^(workers|clients|scripts|test)/" },
    },
    {
      name: "workers-know-no-client",
      severity: "error",
      from: { path: "^workers/" },
      to: { path: "^(clients|scripts|test)/" },
    },
    {
      name: "clients-speak-http",
      comment: "They share the kernel's schemas and limits, never the code behind the API.",
      severity: "error",
      from: { path: "^clients/" },
      to: { path: "^(durable-objects|workers|scripts|test)/" },
    },
    {
      name: "sdk-knows-no-cli",
      severity: "error",
      from: { path: "^clients/sdk/" },
      to: { path: "^clients/cli/" },
    },
    {
      name: "nobody-imports-tests",
      severity: "error",
      from: { pathNot: "^test/" },
      to: { path: "^test/" },
    },
    {
      name: "no-cycles",
      comment: "A cycle of types alone costs nothing at run time and is let be.",
      severity: "error",
      from: { path: "^(kernel|durable-objects|workers|clients|scripts)/" },
      to: { circular: true, viaOnly: { dependencyTypesNot: ["type-only"] } },
    },
    {
      name: "nothing-unresolvable",
      severity: "error",
      from: {},
      to: { couldNotResolve: true, pathNot: "^(cloudflare:|agent-os-kernel$)" },
    },
  ],
  options: {
    parser: "swc",
    tsConfig: { fileName: "tsconfig.json" },
    doNotFollow: { path: "node_modules" },
    exclude: { path: "^dist/" },
    enhancedResolveOptions: {
      extensions: [".ts", ".d.ts", ".js", ".json"],
      exportsFields: ["exports"],
      conditionNames: ["import", "types", "default"],
    },
  },
};
