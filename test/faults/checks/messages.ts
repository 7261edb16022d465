import { answerOf, type Chain, contentOf } from "../chain.ts";
import type { Evidence, Examined } from "./evidence.ts";

/** Every acknowledged message is there once and ended once, with the reply that follows from it; so is every goal. */
export function checkMessages({ findings, person }: Evidence, { agent, database, log }: Examined): void {
  const rows = database.all("SELECT id, state, content, reply, error_code FROM mailbox");
  const ends = Map.groupBy(
    log.filter(({ kind }) => kind === "message.done"),
    ({ data }) => String(data["messageId"]),
  );
  for (const row of rows) {
    const id = String(row["id"]);
    const told = ends.get(id) ?? [];
    const saw = () =>
      `${agent.name} ${id}: ${row["state"]} ${row["error_code"]}, log says ${JSON.stringify(told.map(({ data }) => data))}`;
    findings.expect("a message ends exactly once", told.length === 1 && told[0]?.data["state"] === row["state"], saw);
  }
  for (const { chain, messageId, told, cancelled } of agent.messages) {
    const found = rows.filter((row) => row["content"] === contentOf(chain));
    const [row] = found;
    const saw = () =>
      `${agent.name} ${chain.id} (${messageId}): ${JSON.stringify(found)}, client was told ${JSON.stringify(told)}`;
    findings.expect(
      "an acknowledged message is there once",
      messageId === null ? found.length <= 1 : found.length === 1 && row?.["id"] === messageId,
      saw,
    );
    if (row === undefined) continue;
    findings.expect(
      "a reply that was told stays",
      told === undefined || (told.state === row["state"] && (told.reply ?? null) === row["reply"]),
      saw,
    );
    const mayFail = agent.killed && row["error_code"] === "process_terminated";
    const mayCancel = cancelled && row["state"] === "cancelled";
    const mayPark = row["state"] === "parked" && person.gaveUp(chain);
    findings.expect("a message is answered right", isRight(row, chain) || mayFail || mayCancel || mayPark, saw);
  }
  const goal = rows.find((row) => row["content"] === contentOf(agent.goal));
  findings.expect(
    "a goal is answered right",
    goal !== undefined && (isRight(goal, agent.goal) || agent.killed || person.gaveUp(agent.goal)),
    () => `${agent.name}: ${JSON.stringify(goal)}`,
  );
}

function isRight(row: { [column: string]: string | number | null }, chain: Chain): boolean {
  return row["state"] === "answered" && row["reply"] === answerOf(chain);
}
