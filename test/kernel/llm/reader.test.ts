import { describe, expect, it } from "vitest";
import { citations, MEMORY_HEADER, renderPage } from "../../../kernel/context/prompt-format.ts";
import type { ChatMessage, ToolDefinition } from "../../../kernel/llm/chat.ts";
import { makeProviders } from "../../../kernel/llm/providers.ts";

/** `local/reader` through the adapter that serves every vendor: conversations in which the test plays the kernel. */

const text = { type: "string" };
const tool = (name: string, properties: Record<string, object>, ...required: string[]): ToolDefinition => ({
  type: "function",
  function: { name, description: name, parameters: { type: "object", properties, required } },
});
const TOOLS = [
  tool("memory_search", { query: text, limit: { type: "integer" } }, "query"),
  tool("memory_read", { pageId: text }, "pageId"),
  tool("memory_note", { content: text, importance: { type: "number" } }, "content"),
  tool("calculate", { expression: text }, "expression"),
  tool("time_now", { timeZone: text }),
  tool("file_write", { path: text, content: text }, "path", "content"),
  tool("file_read", { path: text }, "path"),
  tool("ask_person", { question: text }, "question"),
];

type Call = { name: string; input: Record<string, unknown> };
/** Plays the tools: a call's result, as one JSON value. */
type Kernel = (call: Call) => object;

const nothing: Kernel = () => ({ ok: true, items: [] });

async function step(messages: ChatMessage[], tools = TOOLS) {
  const offline = () => Promise.reject(new Error("no network"));
  const found = makeProviders({}, offline).get("local/reader");
  if (!found.ok) throw new Error(found.error.message);
  const request = { model: found.value.model, messages, tools, maxOutputTokens: 4_096 };
  const outcome = await found.value.provider.chat(request, { signal: AbortSignal.timeout(5_000) });
  if (!outcome.ok) throw new Error(outcome.error.message);
  return outcome.reply;
}

/** Runs a turn to its answer. */
async function turn(input: string, kernel: Kernel = nothing, before: ChatMessage[] = [], tools = TOOLS) {
  const messages: ChatMessage[] = [
    { role: "system", content: "You are an agent." },
    { role: "user", content: input },
  ];
  const calls: Call[] = [];
  for (let steps = 1; steps <= 10; steps++) {
    const reply = await step([...messages, ...before], tools);
    if (reply.toolCalls.length === 0) return { answer: reply.content, calls, steps };
    messages.push({ role: "assistant", content: null, tool_calls: reply.toolCalls });
    for (const { id, function: fn } of reply.toolCalls) {
      const call = { name: fn.name, input: JSON.parse(fn.arguments) as Record<string, unknown> };
      calls.push(call);
      messages.push({ role: "tool", tool_call_id: id, content: JSON.stringify(kernel(call)) });
    }
  }
  throw new Error("it never answered");
}

/** A memory whose search answers these pages, best first, whatever is asked. */
function memory(pages: Record<string, string>): Kernel {
  return ({ name, input }) => {
    if (name === "memory_search") {
      const found = Object.entries(pages).slice(0, Number(input["limit"]));
      const items = found.map(([id, content], i) => {
        return { id, score: 10 - i, snippet: `…${content.slice(0, 60)}…`, tier: "cold", source: "book.txt" };
      });
      return { ok: true, items };
    }
    const id = String(input["pageId"]);
    return { ok: true, pageId: id, source: "book.txt", fault: "major", content: pages[id] };
  };
}

const LIGHTHOUSE = {
  pg_aa1: "The harbour was quiet. The lighthouse of Veld was built in 1871 by Anna Holt. Its lamp burns whale oil.",
  pg_bb2: "Ships pass the lighthouse every day. Fishermen repair their nets there.",
  pg_cc3: "# Keepers\n\nThe keeper of a lighthouse sleeps little. He counts the ships.",
  pg_dd4: "Nobody reads the fourth page of anything.",
};

describe("a question in English", () => {
  it("is searched, read and answered with exact quotes, in three steps", async () => {
    const { answer, calls, steps } = await turn("When was the lighthouse of Veld built?", memory(LIGHTHOUSE));
    expect(steps).toBe(3);
    expect(calls.map(({ name }) => name)).toEqual(["memory_search", "memory_read", "memory_read"]);
    expect(calls[0]?.input).toMatchObject({ query: "When was the lighthouse of Veld built?" });
    expect(answer.split("\n")[0]).toBe("“The lighthouse of Veld was built in 1871 by Anna Holt.” [pg_aa1]");
  });

  it("hears each of the three best-ranked pages, and quotes nothing that is not there", async () => {
    const { answer } = await turn("Who keeps the lighthouse?", memory(LIGHTHOUSE));
    expect(new Set(citations(answer).slice(0, 3))).toEqual(new Set(["pg_aa1", "pg_bb2", "pg_cc3"]));
    for (const [, quote = "", id = ""] of answer.matchAll(/“([\s\S]*?)” \[(pg_\w+)\]/g)) {
      expect(LIGHTHOUSE[id as keyof typeof LIGHTHOUSE]).toContain(quote);
    }
    expect(answer).toContain("“The keeper of a lighthouse sleeps little.” [pg_cc3]");
  });

  it("is found by one common word, in another form", async () => {
    const { answer } = await turn("Was somebody repairing something?", memory(LIGHTHOUSE));
    expect(citations(answer)).toContain("pg_bb2");
  });

  it("does not read again what the prompt already shows", async () => {
    const shown = `${MEMORY_HEADER}\n${renderPage({ id: "pg_aa1", source: "book.txt", content: LIGHTHOUSE.pg_aa1 })}`;
    const { calls, answer } = await turn("Who built the lighthouse of Veld?", memory(LIGHTHOUSE), [
      { role: "user", content: shown },
    ]);
    const read = calls.filter(({ name }) => name === "memory_read").map(({ input }) => input["pageId"]);
    expect(read).toEqual(["pg_bb2", "pg_cc3"]);
    expect(answer).toContain("Anna Holt");
  });

  it("falls back to the snippet of a page that could not be read", async () => {
    const kernel: Kernel = (call) =>
      call.name === "memory_search" ? memory(LIGHTHOUSE)(call) : { ok: false, code: "not_found", message: "gone" };
    const { answer } = await turn("Who built the lighthouse?", kernel);
    expect(citations(answer)).toContain("pg_aa1");
  });

  it("is answered from the pages in sight when the search itself was too long for the window", async () => {
    const shown = `${MEMORY_HEADER}\n${renderPage({ id: "pg_bb2", source: "", content: LIGHTHOUSE.pg_bb2 })}`;
    const kernel: Kernel = (call) =>
      call.name === "memory_search"
        ? { ok: true, pages: ["pg_r1"], preview: '{"ok":true,"items":[{"id":"pg_aa1","score":9.1,"ti…' }
        : memory(LIGHTHOUSE)(call);
    const { answer, calls } = await turn("Who built the lighthouse?", kernel, [{ role: "user", content: shown }]);
    expect(calls.map(({ input: { pageId } }) => pageId)).toEqual([undefined, "pg_aa1"]);
    expect(new Set(citations(answer))).toEqual(new Set(["pg_aa1", "pg_bb2"]));
  });

  it("gets a plain no when memory holds nothing, in two steps", async () => {
    const { answer, steps } = await turn("Who discovered the moons of Neptune?");
    expect(steps).toBe(2);
    expect(answer).toMatch(/^Memory holds no answer/);
    expect(answer).toContain("not a language model");
  });

  it("is not answered by the question itself or by the record of an earlier search", async () => {
    const question = "Who built the lighthouse?";
    const record = JSON.stringify([{ role: "assistant", content: null, tool_calls: [{ query: question }] }]);
    const { answer } = await turn(question, memory({ pg_q1: question, pg_q2: record, ...LIGHTHOUSE }));
    expect(citations(answer)[0]).toBe("pg_aa1");
    expect(answer).not.toMatch(/pg_q/);
  });

  it("concerns the newest message, not an older one", async () => {
    const history: ChatMessage[] = [
      { role: "user", content: "call calculate on 2+2" },
      { role: "assistant", content: "2+2 = 4" },
      { role: "user", content: "Who built the lighthouse?" },
    ];
    const reply = await step(history);
    expect(reply.toolCalls.map(({ function: { name } }) => name)).toEqual(["memory_search"]);
  });
});

describe("a question in Chinese", () => {
  const 灯塔 = {
    pg_z1: "港口很安静。维尔德灯塔由安娜于1871年建成。灯里烧的是鲸油！",
    pg_z2: "船只每天经过灯塔。渔民在那里修补渔网。",
    pg_z3: "守塔人睡得很少。他数着来往的船只。",
  };

  it("is answered by the sentence, cut at Chinese punctuation", async () => {
    const { answer, steps } = await turn("维尔德灯塔是什么时候建成的？", memory(灯塔));
    expect(steps).toBe(3);
    expect(answer.split("\n")[0]).toBe("“维尔德灯塔由安娜于1871年建成。” [pg_z1]");
  });

  it("is found by one common word", async () => {
    const { answer } = await turn("渔民平时做什么？", memory(灯塔));
    expect(answer.split("\n")[0]).toContain("渔民在那里修补渔网。");
  });

  it("keeps quotations apart from the quotation marks of the page", async () => {
    const pages = { pg_z9: "船长说：“灯塔今夜不亮。”大家都沉默了。" };
    const { answer } = await turn("灯塔今夜怎么样？", memory(pages));
    expect(answer).toBe('"船长说：“灯塔今夜不亮。”" [pg_z9]');
  });

  it("gets its no in Chinese", async () => {
    const { answer } = await turn("谁发现了海王星的卫星？");
    expect(answer).toMatch(/^记忆中没有/);
  });
});

describe("an open goal", () => {
  it.each([
    ["Help the user", /^I am local\/reader/],
    ["You are a helpful assistant. Help users complete their tasks.", /^I am local\/reader/],
    ["帮助用户完成任务", /^我是 local\/reader/],
    ["你好", /^我是 local\/reader/],
  ])("%s ends at once with an honest sentence", async (goal, says) => {
    const { answer, steps } = await turn(goal);
    expect(steps).toBe(1);
    expect(answer).toMatch(says);
  });
});

describe("calls that are spelled out", () => {
  it("are made in order, a read after the write before it, and reported", async () => {
    const files = new Map<string, string>();
    const kernel: Kernel = ({ name, input }) => {
      const path = String(input["path"]);
      if (name === "file_read") return { ok: true, content: files.get(path) ?? "?" };
      files.set(path, String(input["content"]));
      return { ok: true, path, version: 1 };
    };
    const input = [
      "Do this:",
      'call file_write {"path": "a.txt", "content": "x } \\" y"}',
      'call file_write {"path": "b.txt", "content": "two"}',
      'call file_read {"path": "a.txt"}',
    ].join("\n");
    const { answer, calls, steps } = await turn(input, kernel);
    expect(calls.map(({ name, input: { path } }) => `${name} ${path}`)).toEqual([
      "file_write a.txt",
      "file_write b.txt",
      "file_read a.txt",
    ]);
    expect(steps).toBe(3);
    expect(answer).toBe('file_write: a.txt\nfile_write: b.txt\nfile_read: x } " y');
  });

  it.each([
    ["use calculate on 2+2", { name: "calculate", input: { expression: "2+2" } }],
    ["Please run the tool `time_now` with Asia/Shanghai.", { name: "time_now", input: { timeZone: "Asia/Shanghai" } }],
    [
      "use file_read to show /workspace/a.txt and tell me what it says",
      { name: "file_read", input: { path: "/workspace/a.txt" } },
    ],
    ['file_read({"path": "a.txt"})', { name: "file_read", input: { path: "a.txt" } }],
    ["调用 calculate 计算 (1+2)*3", { name: "calculate", input: { expression: "(1+2)*3" } }],
    ["请使用工具 time_now", { name: "time_now", input: {} }],
  ])("also in other words: %s", async (input, expected) => {
    const { calls } = await turn(input, () => ({ ok: true, value: 1 }));
    expect(calls).toEqual([expected]);
  });

  it("keep arguments that are wrong, because the kernel says best what is wrong", async () => {
    const reply = await step([{ role: "user", content: 'call calculate {"expression": 2+' }]);
    expect(reply.toolCalls[0]?.function.arguments).toBe('{"expression": 2+');
  });

  it("report a failure as one, and go on", async () => {
    const kernel: Kernel = ({ input }) =>
      input["path"] === "a"
        ? { ok: false, code: "not_found", message: "no such file" }
        : { ok: true, content: "hello" };
    const { answer } = await turn('call file_read {"path":"a"}\ncall file_read {"path":"b"}', kernel);
    expect(answer).toBe("file_read failed (not_found): no such file\nfile_read: hello");
  });

  it("are refused when nobody offers the tool", async () => {
    const { answer, steps } = await turn("call launch_rocket {}");
    expect([answer, steps]).toEqual(["No tool named launch_rocket is offered to me.", 1]);
  });

  it("are not made when somebody only asks about a tool", async () => {
    const { calls } = await turn("How do I use file_read?");
    expect(calls.map(({ name }) => name)).toEqual(["memory_search"]);
  });
});

describe("what is plainly wanted of a tool", () => {
  it.each([
    ["what is 12 * (3+4)?", "12 * (3+4)"],
    ["17% of 340", "17 / 100 * 340"],
    ["How much is 1,250.50 plus 3?", "1250.50 + 3"],
    ["12乘以7等于多少", "12*7"],
    ["请计算（3加4）乘以2", "(3+4)*2"],
    ["1000的15%是多少", "1000 * 15 / 100"],
    ["What is 2 to the power of 10?", "2 ^ 10"],
  ])("arithmetic: %s", async (input, expression) => {
    const { calls, answer } = await turn(input, () => ({ ok: true, result: "42" }));
    expect(calls).toEqual([{ name: "calculate", input: { expression } }]);
    expect(answer).toBe(`${expression} = 42`);
  });

  it.each([
    ["what time is it?", "time_now", {}],
    ["现在几点？", "time_now", {}],
    ["Remember that the door code is 4711", "memory_note", { content: "the door code is 4711" }],
    ["记住：我的生日是五月三日", "memory_note", { content: "我的生日是五月三日" }],
    ["ask a person whether we may delete the logs", "ask_person", { question: "Whether we may delete the logs?" }],
    ["请询问用户：是否可以删除日志", "ask_person", { question: "是否可以删除日志？" }],
  ])("%s", async (input, name, expected) => {
    const { calls } = await turn(input, () => ({ ok: true, answer: "yes" }));
    expect(calls).toEqual([{ name, input: expected }]);
  });

  it("the answer of a person is passed on", async () => {
    const { answer } = await turn("ask a person whether we may go", () => ({ ok: true, answer: "Yes, go." }));
    expect(answer).toBe("The person answered: Yes, go.");
  });

  it.each(["What happened on 2024-05-01?", "what is the time complexity of quicksort?", "Which 3 ports are open?"])(
    "%s is a question for memory all the same",
    async (input) => {
      const { calls } = await turn(input);
      expect(calls.map(({ name }) => name)).toEqual(["memory_search"]);
    },
  );

  it("goes to memory when the tool is not offered", async () => {
    const { calls } = await turn("what is 2+2 apples?", nothing, [], TOOLS.slice(0, 2));
    expect(calls[0]?.name).toBe("memory_search");
  });
});

describe("the reader as a model", () => {
  it("gives the same reply to the same request, with usage and no price", async () => {
    const messages: ChatMessage[] = [{ role: "user", content: "Who built the lighthouse?" }];
    const [first, second] = [await step(messages), await step(messages)];
    expect(first).toEqual(second);
    expect(first.usage).toMatchObject({ estimated: false, cachedTokens: 0 });
    expect(first.usage.promptTokens).toBeGreaterThan(100);
  });
});
