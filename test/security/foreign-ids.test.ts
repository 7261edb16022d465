import { listDurableObjectIds } from "cloudflare:test";
import { beforeAll, expect, test } from "vitest";
import { agentObject, batchObject } from "../../workers/objects.ts";
import { bindings, boot, json, request } from "../workers/kernel-client.ts";
import { figure } from "./figure.ts";
import {
  absentId,
  type Household,
  household,
  IDEMPOTENCY_KEY,
  KINDS,
  SAME_BODY,
  stateOf,
  withQuery,
} from "./foreign/household.ts";
import { IdSource, type TriedId } from "./foreign/id-source.ts";
import { type Surface, surfacesOf, unnamedReads } from "./foreign/surfaces.ts";

/**
 * A stranger, admin of a tenant of its own, tries ids wherever a request can name something: another tenant's, made-up, bent and
 * malformed ones. All get the answer that an absent id gets there, and the other tenant stands as it stood.
 */

const ASKED = 10_000;
const AT_A_TIME = 12;
const SEED = 11;

let victim: Household;
let stranger: Household;

beforeAll(async () => {
  boot();
  victim = await household("lighthouse-7c1f9b");
  stranger = await household("wrecker-55aa01");
}, 120_000);

interface Answer {
  status: number;
  words: string;
}

/** Objects that somebody has woken by the victim's ids in the stranger's tenant. */
async function wokenByForeignIds(): Promise<string[]> {
  const { agent, batch } = victim.ids;
  const [agents, batches] = await Promise.all([
    listDurableObjectIds(bindings.AGENTS),
    listDurableObjectIds(bindings.BATCHES),
  ]);
  const foreign = [
    bindings.AGENTS.idFromName(`${stranger.tenant}/${agent}`),
    bindings.BATCHES.idFromName(`${stranger.tenant}/${batch}`),
  ];
  return foreign.filter((id) => [...agents, ...batches].some((one) => one.equals(id))).map(({ name = "" }) => name);
}

/** What came back, without the id of the request. */
async function answerTo(surface: Surface, id: string): Promise<Answer> {
  const { method, path, call } = surface.ask(id);
  const response = await request(method, path, call);
  const words = (await response.text()).replace(/"(?:requestId|asOf)":"[^"]*",?/g, "");
  return { status: response.status, words };
}

/** What an id gets that nobody has: some answers repeat it. */
async function absentAnswer(surface: Surface): Promise<(id: string) => Answer> {
  const absent = absentId(surface.kind, stranger.tenant, stranger.ids[surface.kind]);
  const { status, words } = await answerTo(surface, absent);
  return (id) => ({ status, words: words.replaceAll(absent, () => JSON.stringify(id).slice(1, -1)) });
}

/** Whether the id looks like an absent one, or is refused for its spelling like any other of that spelling. */
async function looksAbsent(
  surface: Surface,
  answer: Answer,
  expected: Answer,
  { id, twin }: TriedId,
): Promise<boolean> {
  if (answer.status === expected.status) return answer.words === expected.words;
  if (answer.status !== 422) return false;
  const other = await answerTo(surface, twin);
  return other.status === 422 && without(other.words, twin) === without(answer.words, id);
}

function without(words: string, id: string): string {
  return words.replaceAll(JSON.stringify(id).slice(1, -1), "");
}

// First of all: afterwards the stranger's own trail holds the ids that the stranger tried.
test("what is read without a name is the stranger's own, and so is what its agents share", async () => {
  const { key, ids } = stranger;
  const files = `/v1/agents/${ids.agent}/files`;
  expect((await request("GET", `${files}/shared/${victim.ids.file}`, { key })).status).toBe(404);
  const paths = [...unnamedReads(), `${files}?prefix=/shared/`];
  expect(paths.length).toBeGreaterThan(15);
  const theirs = [victim.mark, ...Object.values(victim.ids)];
  const seen = paths.map(async (path) => {
    const text = await (await request("GET", path, { key })).text();
    return theirs.filter((name) => text.includes(name)).map((name) => `${path}: ${name}`);
  });
  expect((await Promise.all(seen)).flat()).toEqual([]);
});

test("10,000 foreign, made-up and malformed ids read nothing, write nothing, and look like absent ones", async () => {
  const surfaces = surfacesOf(stranger);
  expect(new Set(surfaces.map(({ kind }) => kind))).toEqual(new Set(KINDS));
  const source = new IdSource(SEED, victim, stranger);
  const before = await stateOf(victim);
  const expected = new Map<Surface, (id: string) => Answer>();
  for (const surface of surfaces) expected.set(surface, await absentAnswer(surface));
  const tries = Array.from({ length: ASKED }, (_, index) => {
    const surface = surfaces[index % surfaces.length] as Surface;
    return { surface, tried: source.next(surface.kind) };
  });
  const reads: string[] = [];
  const different: string[] = [];
  const work = tries[Symbol.iterator]();
  const worker = async () => {
    for (const { surface, tried } of work) {
      const { id } = tried;
      const answer = await answerTo(surface, id);
      const seen = `${surface.name} ${JSON.stringify(id)}: ${JSON.stringify(answer)}`;
      if (without(answer.words, id).includes(victim.mark)) reads.push(seen);
      const like = expected.get(surface)?.(id) ?? { status: 0, words: "" };
      if (!(await looksAbsent(surface, answer, like, tried))) different.push(seen);
    }
  };
  await Promise.all(Array.from({ length: AT_A_TIME }, worker));
  const after = await stateOf(victim);
  const changed = Object.keys(before).filter((path) => JSON.stringify(before[path]) !== JSON.stringify(after[path]));
  const woken = await wokenByForeignIds();
  expect({ reads: reads.slice(0, 10), changed, different: different.slice(0, 40), woken }).toEqual({
    reads: [],
    changed: [],
    different: [],
    woken: [],
  });
  const said = [`${reads.length} reads`, `${changed.length} writes`, `${different.length} different answers`];
  figure(
    "S2",
    `${tries.length.toLocaleString("en-US")} foreign ids over ${surfaces.length} surfaces: ${said.join(", ")}`,
  );
}, 900_000);

test("objects are named by their tenant too, should a foreign id ever pass its check", async () => {
  const agent = await agentObject(bindings, stranger.tenant, victim.ids.agent).block();
  const batch = await batchObject(bindings, stranger.tenant, victim.ids.batch).view();
  expect([agent, batch]).toMatchObject([{ error: { code: "not_found" } }, { error: { code: "not_found" } }]);
});

test("cursors of another tenant's lists are refused like any text that is none", async () => {
  expect(Object.keys(victim.cursors).length).toBeGreaterThanOrEqual(3);
  for (const [list, cursor] of Object.entries(victim.cursors)) {
    const [foreign, absent] = await Promise.all(
      [cursor, "bm8tY3Vyc29y"].map(async (text) => {
        const own = list.replace(victim.ids.agent, stranger.ids.agent);
        const response = await request("GET", withQuery(own, `cursor=${text}`), { key: stranger.key });
        return [response.status, (await response.text()).replace(/"requestId":"[^"]*"/, "")];
      }),
    );
    expect(foreign, list).toEqual(absent);
  }
});

test("a cursor of one's own is good for its list alone", async () => {
  const { key, cursors } = stranger;
  for (const list of Object.keys(cursors)) {
    const [other = ""] = Object.keys(cursors).filter((one) => one !== list);
    const statusAt = async (path: string) => {
      return (await request("GET", withQuery(path, `cursor=${cursors[list]}`), { key })).status;
    };
    expect([await statusAt(list), await statusAt(other)], `${list}, ${other}`).toEqual([200, 422]);
  }
});

test("a credential of the same name is another one in another tenant, also when it goes", async () => {
  const { key } = stranger;
  const list = () => json<{ items: object[] }>(200, "GET", "/v1/credentials", { tenant: victim.tenant });
  const before = await list();
  const body = { name: victim.ids.credential, value: "a-secret-of-the-stranger", hosts: ["api.example.com"] };
  await json(201, "POST", "/v1/credentials", { key, body });
  expect((await request("DELETE", `/v1/credentials/${victim.ids.credential}`, { key })).status).toBe(204);
  expect(before.items).toHaveLength(1);
  expect(await list()).toEqual(before);
});

test("an Idempotency-Key of the bootstrap key makes one batch in each tenant that it acts in", async () => {
  const body = { requests: [{ customId: "a", model: "local/reader", messages: [{ role: "user", content: "hello" }] }] };
  const headers = { "Idempotency-Key": IDEMPOTENCY_KEY };
  const make = ({ tenant }: Household) => json<{ id: string }>(201, "POST", "/v1/batches", { tenant, body, headers });
  const [first, again, other] = [await make(victim), await make(victim), await make(stranger)];
  expect(again.id).toBe(first.id);
  expect(other.id).not.toBe(first.id);
});

test("an Idempotency-Key of another tenant replays nothing", async () => {
  const headers = { "Idempotency-Key": IDEMPOTENCY_KEY };
  const at = { key: stranger.key, body: SAME_BODY, headers };
  const [first, again] = [
    await json<{ id: string }>(201, "POST", "/v1/agents", at),
    await json<{ id: string }>(201, "POST", "/v1/agents", at),
  ];
  expect(again.id).toBe(first.id);
  const theirs = await json<{ items: { id: string }[] }>(200, "GET", "/v1/agents?limit=200", { tenant: victim.tenant });
  expect(theirs.items.map(({ id }) => id)).not.toContain(first.id);
});

test("a Last-Event-ID is a place in the stranger's own log, whoever counted it", async () => {
  const path = `/v1/agents/${stranger.ids.agent}/events`;
  const response = await request("GET", path, { key: stranger.key, headers: { "Last-Event-ID": "1" } });
  expect(response.status).toBe(200);
  const reader = response.body?.getReader();
  const { value } = (await reader?.read()) ?? {};
  await reader?.cancel();
  expect(new TextDecoder().decode(value)).not.toContain(victim.ids.agent);
  const foreign = `/v1/agents/${victim.ids.agent}/events`;
  expect((await request("GET", foreign, { key: stranger.key, headers: { "Last-Event-ID": "1" } })).status).toBe(404);
});
