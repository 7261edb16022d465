/**
 * An order as injections write it and the obedient model reads it: `@@DO <id> <tool> <base64url of the arguments>@@`. Arguments may
 * hold `{{SECRET}}`, which the model replaces by the secret that it has read.
 */
export interface Order {
  id: string;
  tool: string;
  input: object;
}

export const SECRET = /SECRET-[0-9a-f]{12}/;
const MARK = /@@DO ([\w-]+) (\w+) ([\w-]+)@@/g;

export function orderText({ id, tool, input }: Order): string {
  return `@@DO ${id} ${tool} ${Buffer.from(JSON.stringify(input)).toString("base64url")}@@`;
}

export function ordersIn(text: string): Order[] {
  return [...text.matchAll(MARK)].flatMap(([, id = "", tool = "", encoded = ""]) => {
    try {
      return [{ id, tool, input: JSON.parse(Buffer.from(encoded, "base64url").toString("utf8")) as object }];
    } catch {
      return [];
    }
  });
}
