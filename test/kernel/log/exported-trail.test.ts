import { describe, expect, test } from "vitest";
import { headLine, lineOfCheckpoint, lineOfEnd, verifyExport } from "../../../kernel/log/exported-trail.ts";
import { lineOf } from "../../../kernel/log/segment-lines.ts";
import { entries, sealed, testKey } from "../../support/audit-trail.ts";
import { nodeHash } from "../../support/ports.ts";
import { value } from "../../support/tenant.ts";

/** A file of 23 entries with two checkpoints, as the kernel writes it, line by line. */
async function file(): Promise<string[]> {
  const rows = entries(23);
  const { segments, checkpoints } = await sealed(rows, 10, await testKey());
  const head = {
    format: "aos-audit-1",
    tenant: "t-audit",
    object: "core",
    exportedAt: "2026-01-01T00:00:00.000Z",
  } as const;
  const covered = checkpoints.map((one) => `${segments.get(one.segment)}${lineOfCheckpoint(one)}`).join("");
  const tail = rows.slice(20).map((row) => `${lineOf(row)}\n`);
  const end = lineOfEnd({ seq: 23, hash: rows.at(-1)?.hash ?? "" });
  return `${headLine({ ...head, publicKey: null })}${covered}${tail.join("")}${end}`.split("\n");
}

/** The entry for one reader of JSON, and somebody else's for another, who takes the first of two members of one name. */
function spokenOver(line = ""): string {
  return line.replace("{", '{"actor":"key:nobody",');
}

async function verify(lines: readonly string[], passphrase?: string) {
  const key = await testKey(passphrase);
  return value(await verifyExport(lines, { hash: nodeHash, key }));
}

describe("an exported trail", () => {
  test("is verified from the file alone, with the key", async () => {
    const report = await verify(await file());
    expect(report).toMatchObject({ ok: true, entries: 23, object: "core", checkpoints: { count: 2, verified: 2 } });
  });

  test("signed by somebody else is not taken for the operator's", async () => {
    expect(await verify(await file(), "some other passphrase, of somebody else")).toMatchObject({ ok: false });
  });

  test.each<[string, (lines: string[]) => string[]]>([
    ["an entry changed", (lines) => lines.with(4, (lines[4] ?? "").replace("file_write", "file_read"))],
    ["an entry of the tail changed", (lines) => lines.with(24, (lines[24] ?? "").replace("file_write", "file_read"))],
    ["an entry that says more than its chain", (lines) => lines.with(4, spokenOver(lines[4]))],
    ["an entry of the tail that says more than its chain", (lines) => lines.with(24, spokenOver(lines[24]))],
    ["a line that is no entry", (lines) => lines.with(4, "{}")],
    ["an entry left out", (lines) => lines.toSpliced(4, 1)],
    ["its tail cut", (lines) => lines.slice(0, -3)],
    ["an entry of the tail left out at the end", (lines) => lines.toSpliced(-3, 1)],
    ["a checkpoint left out", (lines) => lines.toSpliced(11, 1)],
    ["a segment left out", (lines) => lines.toSpliced(1, 10)],
    [
      "the checkpoint of another tenant",
      (lines) => lines.with(11, (lines[11] ?? "").replace('"t-audit"', '"t-other"')),
    ],
  ])("with %s is found out", async (_what, edit) => {
    expect(await verify(edit(await file()))).toMatchObject({ ok: false, reason: expect.any(String) });
  });

  test("that is none is said to be none", async () => {
    const report = await verifyExport(["{}", "x"], { hash: nodeHash, key: null });
    expect(report).toMatchObject({ ok: false, error: { code: "invalid_input" } });
  });
});
