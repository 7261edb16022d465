/**
 * What a program finds when it begins, written in its own language over four functions of the host: `__print`, `__read`,
 * `__list`, `__fetch`, and the text of its input. They take and give strings, so no object of the host ever enters.
 */
export const PRELUDE = `(() => {
  "use strict";
  const { __print, __read, __list, __fetch, __input } = globalThis;
  for (const name of ["__print", "__read", "__list", "__fetch", "__input"]) delete globalThis[name];
  const { stringify, parse } = JSON;
  globalThis.input = parse(__input);
  const shown = (value) => {
    if (typeof value === "string") return value;
    if (value instanceof Error) return String(value);
    try { return stringify(value) ?? String(value); } catch { return String(value); }
  };
  const print = (...values) => __print(values.map(shown).join(" "));
  globalThis.console = Object.freeze({ log: print, info: print, debug: print, warn: print, error: print });
  const answer = async (promise) => {
    const result = parse(await promise);
    if (!result.ok) throw Object.assign(new Error(result.error.message), { code: result.error.code });
    return result.value;
  };
  const written = new Map();
  globalThis.files = Object.freeze({
    read: async (path) => written.has(String(path)) ? written.get(String(path)) : answer(__read(String(path))),
    write: async (path, content) => { written.set(String(path), String(content)); },
    list: async (prefix = "") => answer(__list(String(prefix))),
  });
  if (__fetch) globalThis.fetch = async (url, init = {}) => {
    const { method = "GET", headers = {}, body = null } = init;
    const reply = await answer(__fetch(stringify({ url: String(url), method: String(method), headers, body: body === null ? null : String(body) })));
    return Object.freeze({
      status: reply.status, ok: reply.status >= 200 && reply.status < 300, headers: Object.freeze(reply.headers),
      text: async () => reply.body, json: async () => parse(reply.body),
    });
  };
  return () => stringify([...written]);
})()`;

/** The program as an expression whose value is a promise of the JSON text of its result. */
export function programOf(code: string): string {
  return `(async () => {\n${code}\n})().then((value) => JSON.stringify(value) ?? "null")`;
}
