import { readFileSync } from "node:fs";
import { join } from "node:path";
import { expect, test } from "vitest";
import { permissionsPage } from "../../scripts/docs/permissions-page.ts";

const page = readFileSync(join(import.meta.dirname, "../../docs/permissions.md"), "utf8");
/** Without the padding of the tables. */
const said = (text: string) => text.replace(/ +\|/g, " |").replace(/\| +/g, "| ").replace(/-{3,}/g, "---");

test("the page of permissions says what the tables in code say: node scripts/permissions-page.ts", () => {
  expect(said(page)).toBe(said(permissionsPage()));
});
