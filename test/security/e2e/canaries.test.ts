import { randomBytes } from "node:crypto";
import { afterAll, beforeAll, expect, test } from "vitest";
import type { ControlBlock } from "../../../kernel/process/block.ts";
import { aos, KernelProcess, stateFolder } from "../../e2e/runtime/kernel-process.ts";
import { ModelServer } from "../../support/model-server/client.ts";
import type { ScriptedReply } from "../../support/model-server/script.ts";
import { ToolServer } from "../../support/tool-server/client.ts";
import { figure } from "../figure.ts";
import { Recorder } from "./canaries/recorder.ts";
import { filesBelow, found, type Text } from "./canaries/searched.ts";

/**
 * Twenty secrets in a real kernel, among vendors and hosts that repeat whatever they are sent. Then all that the kernel left on
 * disk, printed, answered and sent to models is searched for them. Where a secret has to be (a key's first showing, the header
 * that a host gets), it is looked for too, or nothing would be proven.
 */

const canary = (prefix: string) => `${prefix}${randomBytes(24).toString("base64url")}`;

const secrets: Record<string, string> = {
  "the bootstrap key": canary("adm-"),
  "the key of OpenAI": canary("sk-oai-"),
  "the key of DeepSeek": canary("sk-dsk-"),
  "the key of Kimi": canary("sk-kim-"),
  "the key that signs audits": canary("aud-"),
  "the key that seals secrets": canary("sec-"),
  "the key that sealed them before": canary("old-"),
  "the password of a database": canary("pg"),
  "the password in a vendor's URL": canary("pw"),
  "a credential": canary("crd-"),
  "a credential that was replaced": canary("crd-"),
  "a credential that was removed": canary("crd-"),
  "a credential's own header": canary("hdr-"),
  "a Basic password": canary("bsc-"),
  "a credential that was refused": canary("bad-"),
  "a key that nobody knows": `aos_${randomBytes(32).toString("base64url")}`,
};
const secretOf = (name: string) => secrets[name] ?? "";

const ECHOES = [
  "Incorrect API key provided: {key}.",
  "debug: {key64}",
  'headers: {"authorization":"Bearer {key}"}',
] as const;
const FAULTS: ScriptedReply[] = [
  ...[400, 401, 403, 404, 429].flatMap((status) =>
    ECHOES.map((message): ScriptedReply => ({ fault: { kind: "status", status, message } })),
  ),
  ...ECHOES.map(
    (message): ScriptedReply => ({ text: "half", fault: { kind: "error_in_stream", afterChunks: 1, message } }),
  ),
];

let vendor: ModelServer;
let host: ToolServer;
let other: ToolServer;
let kernel: KernelProcess;
let client: Recorder;

beforeAll(async () => {
  [vendor, host, other] = await Promise.all([ModelServer.start(), ToolServer.start(), ToolServer.start()]);
  const settings = {
    AOS_ADMIN_KEY: secretOf("the bootstrap key"),
    OPENAI_API_KEY: secretOf("the key of OpenAI"),
    OPENAI_BASE_URL: `${vendor.url}/v1`,
    DEEPSEEK_API_KEY: secretOf("the key of DeepSeek"),
    DEEPSEEK_BASE_URL: `${vendor.url}/deepseek`,
    KIMI_API_KEY: secretOf("the key of Kimi"),
    KIMI_BASE_URL: `${vendor.url}/kimi/v1`,
    OLLAMA_BASE_URL: `${vendor.url}/ollama`,
    AOS_AUDIT_KEY: secretOf("the key that signs audits"),
    AOS_SECRETS_KEY: secretOf("the key that seals secrets"),
    AOS_SECRETS_KEY_PREVIOUS: secretOf("the key that sealed them before"),
    DATABASE_URL: `postgres://aos:${secretOf("the password of a database")}@127.0.0.1:5432/aos`,
    AOS_EGRESS_ALLOW: `${host.host},${other.host}`,
    AOS_MODEL_PRICES: "openai/gpt-4.1=1:1:1",
  };
  // With a line for each request: what the platform's console would get.
  kernel = await KernelProcess.start(stateFolder(), settings, undefined, ["--verbose"]);
  client = new Recorder(kernel.url, secretOf("the bootstrap key"));
});

afterAll(async () => {
  await kernel.dispose();
  await Promise.all([vendor.stop(), host.stop(), other.stop()]);
});

const agents: string[] = [];

async function agent(spec: object): Promise<ControlBlock> {
  const body = { name: "canary", role: "tester", goal: "Do it.", permissionLevel: "FULL", ...spec };
  const made = await client.send<ControlBlock>("POST", "/v1/agents", { body });
  const { id } = made;
  expect(String(id), JSON.stringify(made)).toMatch(/^agt_/);
  agents.push(id);
  return client.send<ControlBlock>("GET", `/v1/agents/${id}/wait?timeout=20`);
}

async function storeCredentials(): Promise<void> {
  const hosts = [host.host];
  const basic = Buffer.from(`harbour:${secretOf("a Basic password")}`).toString("base64");
  const store = (name: string, secret: object) =>
    client.send("POST", "/v1/credentials", {
      body: { name, hosts, ...secret },
      headers: { "idempotency-key": canary("i") },
    });
  await store("tide", { value: secretOf("a credential that was replaced") });
  await store("tide", { value: secretOf("a credential") });
  await store("gone", { value: secretOf("a credential that was removed") });
  await client.send("DELETE", "/v1/credentials/gone");
  await store("own", { headers: { "X-Api-Key": secretOf("a credential's own header") } });
  await store("basic", { headers: { Authorization: `Basic ${basic}` } });
  const refused = { name: "No Name", value: secretOf("a credential that was refused"), hosts };
  await client.send("POST", "/v1/credentials", { body: refused });
  await client.send("POST", "/v1/credentials", { body: { ...refused, name: "x", hosts: ["not a host"] } });
}

async function issueKeys(): Promise<void> {
  const issue = (path: string, body: object) =>
    client.send<{ id: string; key: string }>("POST", path, {
      body,
      headers: { "idempotency-key": canary("k") },
      shows: true,
    });
  const viewer = await issue("/v1/keys", { role: "viewer", name: "wall" });
  const old = await issue("/v1/keys", { role: "operator", name: "ci" });
  const next = await issue(`/v1/keys/${old.id}/rotate`, { overlapSeconds: 600 });
  const gone = await issue("/v1/keys", { role: "admin" });
  await client.send("GET", "/v1/agents", { key: viewer.key });
  await client.send("POST", "/v1/agents", { key: viewer.key, body: {} });
  await client.send("GET", "/v1/costs", { key: next.key });
  await client.send("DELETE", `/v1/keys/${gone.id}`);
  await client.send("GET", "/v1/agents", { key: gone.key });
  await client.send("GET", "/v1/agents", { key: secretOf("a key that nobody knows") });
  Object.assign(secrets, {
    "a viewer's key": viewer.key,
    "a rotated key": old.key,
    "its successor": next.key,
    "a revoked key": gone.key,
  });
}

/**
 * Agents that send a request each and repeat what came back: after what a host answers to a credential, which is private and a
 * stranger's word, the next request of the same agent would wait for a person.
 */
async function useTools(): Promise<ControlBlock[]> {
  const to = encodeURIComponent(`${other.url}/elsewhere?echo`);
  const request = (credential: string, path: string, more: object = {}) => ({
    name: "http_request",
    arguments: { url: `${host.url}${path}`, credential, ...more },
  });
  const calls = ["tide", "own", "basic"].flatMap((name) => [
    request(name, "/echo?echo"),
    request(name, "/html?echo&type=text/html"),
    request(name, "/fails?echo&status=500"),
    request(name, `/away?to=${to}`),
    request(name, "/post?echo", { method: "POST", body: "act" }),
    { name: "web_fetch", arguments: { url: `${host.url}/read?echo`, credential: name } },
  ]);
  calls.push(request("gone", "/gone?echo"), request("tide", "/hung?fault=reset_after"));
  const hosts = [host.host, other.host];
  const grants = { hosts, credentials: ["tide", "own", "basic", "gone"] };
  const ended: ControlBlock[] = [];
  for (const call of calls) {
    await vendor.script({ queue: [{ toolCalls: [call] }, { text: "Done with the tools." }] });
    ended.push(await agent({ model: "openai/gpt-4.1", grants, goal: "Use the tools." }));
  }
  return ended;
}

async function failVendors(): Promise<void> {
  for (const model of ["openai/gpt-4.1", "deepseek/deepseek-flash", "kimi/kimi-k2.6"]) {
    for (const reply of FAULTS) {
      await vendor.script({ queue: [reply], rules: [{ reply }] });
      const body = { model, messages: [{ role: "user", content: "hello" }], stream: reply.text !== undefined };
      await client.send("POST", "/v1/chat/completions", { body });
    }
    await vendor.script({ rules: [{ reply: FAULTS[0] as ScriptedReply }] });
    await agent({ model, goal: "Say hello." });
  }
  await client.send("POST", "/v1/chat/completions", {
    body: { model: "ollama/qwen3", messages: [{ role: "user", content: "hello" }] },
  });
  await client.send("POST", "/v1/embeddings", { body: { model: "openai/text-embedding-3-small", input: "lamp" } });
  const requests = [{ customId: "a", model: "openai/gpt-4.1", messages: [{ role: "user", content: "hello" }] }];
  const { id } = await client.send<{ id: string }>("POST", "/v1/batches", { body: { requests } });
  for (let tries = 0; tries < 100; tries++) {
    const { state } = await client.send<{ state: string }>("GET", `/v1/batches/${id}`);
    if (state !== "queued" && state !== "running") break;
    await new Promise((resolve) => setTimeout(resolve, 100));
  }
  await client.send("GET", `/v1/batches/${id}/results`);
}

async function readEverything(): Promise<void> {
  const document = await client.send<{ paths: Record<string, object> }>("GET", "/openapi.json");
  const lists = Object.entries(document.paths).filter(([path, item]) => "get" in item && !path.includes("{"));
  for (const [path] of lists) await client.send("GET", path);
  const own = Object.entries(document.paths).filter(
    ([path, item]) => "get" in item && /^\/v1\/agents\/\{id\}/.test(path),
  );
  for (const id of agents) {
    const paths = own.map(([path]) => path.replace("{id}", id)).filter((path) => !/[{]|events$/.test(path));
    for (const path of paths) await client.send("GET", path.endsWith("/search") ? `${path}?q=authorization` : path);
    const { items } = await client.send<{ items: { id: string }[] }>("GET", `/v1/agents/${id}/pages?limit=200`);
    for (const page of items) await client.send("GET", `/v1/agents/${id}/pages/${page.id}`);
    await client.events(`/v1/agents/${id}/events`, 300);
    await client.send("GET", `/v1/audit?limit=200&agentId=${id}`);
  }
}

/** What a kernel says that does not start: a bad value is named by its variable and not shown. */
async function badSettings(): Promise<Text[]> {
  const lines = await Promise.all(
    [
      { AOS_AUDIT_KEY: secretOf("the key that signs audits").slice(0, 20) },
      { OPENAI_BASE_URL: `https://x:${secretOf("the password in a vendor's URL")}@models.example.com/v1` },
      { AOS_SECRETS_KEY: secretOf("the key that seals secrets").slice(0, 20), AOS_PORT: "0" },
    ].map((bad) => aos(["up"], { AOS_STATE: `${kernel.state}-bad`, ...bad })),
  );
  for (const { code, stderr } of lines) expect([code, stderr.includes(" takes ")], stderr).toEqual([2, true]);
  return lines.map(({ stdout, stderr }, index) => ({
    place: `bad setting ${index}`,
    bytes: Buffer.from(stdout + stderr),
  }));
}

/** The control: hosts got what is theirs, and echoes came back without it. */
async function controls(used: readonly ControlBlock[]): Promise<void> {
  const heard = (await host.journal()).flatMap((entry) =>
    entry.type === "request" ? [JSON.stringify(entry.headers)] : [],
  );
  for (const name of ["a credential", "a credential's own header"]) {
    expect(
      heard.some((headers) => headers.includes(secretOf(name))),
      name,
    ).toBe(true);
  }
  const asked = (await vendor.journal()).flatMap((entry) => (entry.type === "request" ? [entry.model] : []));
  expect(new Set(asked).size, [...new Set(asked)].join(" ")).toBeGreaterThanOrEqual(4);
  const elsewhere = (await other.journal("/elsewhere")).map((entry) => JSON.stringify(entry));
  expect(elsewhere.length).toBeGreaterThan(0);
  expect(found(secrets, [{ place: "another host", bytes: Buffer.from(elsewhere.join("\n")) }])).toEqual([]);
  expect(new Set(used.map(({ result }) => result))).toEqual(new Set(["Done with the tools."]));
  const said = client.replies.map(({ bytes }) => bytes.toString()).join("\n");
  expect(said.match(/\[redacted\]/g)?.length ?? 0).toBeGreaterThan(20);
}

test("20 canary secrets are in no state, no log, no prompt and no reply", async () => {
  await storeCredentials();
  await issueKeys();
  const used = await useTools();
  await failVendors();
  await readEverything();
  await controls(used);
  const settings = await badSettings();
  const prompts = (await vendor.journal()).flatMap((entry) =>
    entry.type === "request" ? [JSON.stringify(entry.body)] : [],
  );
  expect(prompts.some((prompt) => prompt.includes("[redacted]"))).toBe(true);
  const { stdout, stderr } = await kernel.end();
  expect(stdout + stderr).toContain("access.granted");
  const printed = { place: "what the kernel printed", bytes: Buffer.from(stdout + stderr) };
  const files = filesBelow(kernel.state);
  const asked = { place: "prompts", bytes: Buffer.from(prompts.join("\n")) };
  const places = found(secrets, [...files, ...client.replies, ...settings, printed, asked]);
  expect(places).toEqual([]);
  const counts = `${files.length} files and ${client.replies.length} replies`;
  expect(Object.keys(secrets)).toHaveLength(20);
  figure("S11", `${Object.keys(secrets).length} canary secrets: ${places.length} found in ${counts}`);
});
