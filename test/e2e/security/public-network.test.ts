import { convertV4MiniflareOptions, Miniflare } from "miniflare";
import { expect, test } from "vitest";
import { PUBLIC_NETWORK } from "../../../clients/sdk/runtime/public-network.ts";
import { Canary } from "./canary.ts";

/** What a Worker would reach on both networks if no guard stood before them. */
const SCRIPT = `export default {
  async fetch(request, env) {
    const { url, network } = await request.json();
    const { fetch } = network === "public" ? { fetch: (url) => env.PUBLIC_NETWORK.fetch(url) } : globalThis;
    return Response.json(await fetch(url).then(() => "answered", (error) => "failed"));
  },
};`;

test("the network of guarded requests leads to no private address, by number or by name", async () => {
  const canary = await Canary.start();
  const worker = { name: "probe", modules: true, script: SCRIPT, compatibilityDate: "2026-11-02" };
  const options = { cf: false as const, workers: [{ ...worker, serviceBindings: { PUBLIC_NETWORK } }] };
  const miniflare = new Miniflare(convertV4MiniflareOptions(options));
  try {
    const connections = async (network: string) => {
      const before = canary.connections;
      for (const host of ["127.0.0.1", "localhost"]) {
        const body = JSON.stringify({ url: `http://${host}:${canary.port}/`, network });
        await (await miniflare.dispatchFetch("http://probe/", { method: "POST", body })).text();
      }
      return canary.connections - before;
    };
    expect(await connections("open")).toBeGreaterThan(1);
    expect(await connections("public")).toBe(0);
  } finally {
    await miniflare.dispose();
    await canary.stop();
  }
});
