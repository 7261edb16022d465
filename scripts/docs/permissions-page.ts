import { PERMISSION_LEVELS } from "../../kernel/process/spec.ts";
import { allows, CAPABILITIES, type Capability, wordsOf } from "../../kernel/security/levels.ts";
import { SYSCALLS } from "../../kernel/syscalls/index.ts";

/** `docs/permissions.md`, as the tables in code say it: `node scripts/permissions-page.ts` writes it, and a test says when it is old. */

const HEAD = `# Permissions

Made from \`kernel/security/levels.ts\` and the table of system calls by \`node scripts/permissions-page.ts\`: edit those, not this.

A process has one of four levels (\`permissionLevel\`), and what is not allowed is refused with \`forbidden\`, whatever its model asks for. A child
never has a higher level or wider grants than its parent. A change by \`PATCH /v1/agents/{id}\` holds from the next system call on, and the
process's log keeps who made it, what is, and what was. A row of the first table that no tool of the second stands for is what a level will
allow when its tools are there.
`;

export function permissionsPage(): string {
  const levels = CAPABILITIES.map((capability) => row(wordsOf(capability), capability));
  const tools = Object.values(SYSCALLS).map(({ name, capability }) => row(`\`${name}\``, capability));
  const header = (first: string) => [
    `| ${[first, ...PERMISSION_LEVELS].join(" | ")} |`,
    `| ${["---", ...PERMISSION_LEVELS.map(() => "---")].join(" | ")} |`,
  ];
  return `${[HEAD, ...header("a process may"), ...levels, "\n## Tools\n", ...header("tool"), ...tools].join("\n")}\n`;
}

function row(what: string, capability: Capability): string {
  return `| ${[what, ...PERMISSION_LEVELS.map((level) => (allows(level, capability) ? "yes" : "no"))].join(" | ")} |`;
}
