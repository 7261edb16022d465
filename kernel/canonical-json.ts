/**
 * One spelling for one JSON value: members in the order of their names, no spaces. What people approve is hashed in this form, so
 * that a hash stands for what will run, however the model happened to write it.
 */
export function canonicalJson(value: unknown): string {
  if (Array.isArray(value)) return `[${value.map((item) => canonicalJson(item ?? null)).join(",")}]`;
  if (typeof value !== "object" || value === null) return JSON.stringify(value) ?? "null";
  const members = Object.entries(value)
    .filter(([, member]) => member !== undefined)
    .toSorted(([a], [b]) => (a < b ? -1 : 1))
    .map(([name, member]) => `${JSON.stringify(name)}:${canonicalJson(member)}`);
  return `{${members.join(",")}}`;
}

/** How deep the arrays and objects of a JSON text nest: to be asked before anything walks the value. */
export function jsonDepth(text: string): number {
  let [depth, deepest, quoted] = [0, 0, false];
  for (let at = 0; at < text.length; at++) {
    const char = text[at];
    if (quoted && char === "\\") at++;
    else if (char === '"') quoted = !quoted;
    else if (!quoted && (char === "[" || char === "{")) deepest = Math.max(deepest, ++depth);
    else if (!quoted && (char === "]" || char === "}")) depth--;
  }
  return deepest;
}
