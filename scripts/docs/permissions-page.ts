import { PERMISSION_LEVELS } from "../../kernel/process/spec.ts";
import { allows, CAPABILITIES, type Capability, wordsOf } from "../../kernel/security/levels.ts";
import { SYSCALLS } from "../../kernel/syscalls/index.ts";

/** `docs/permissions.md`, as the tables in code say it: `node scripts/permissions-page.ts` writes it, and a test says when it is old. */

const HEAD = `# Permissions

Made from \`kernel/security/levels.ts\` and the table of system calls by \`node scripts/permissions-page.ts\`: edit those, not this.

A process has one of four levels (\`permissionLevel\`), and what is not allowed is refused with \`forbidden\`, whatever its model asks for. A child
never has a higher level, wider grants, more tools or fewer denials than its parent; of what its spec leaves open it has its parent's. A change
by \`PATCH /v1/agents/{id}\` holds from the next system call on, and both chains keep who made it, what is, and what was. A parent is not
changed below a child: change or end that first (\`conflict\`). A row of the first table that no tool of the second stands for is what
a level will allow when its tools are there.
`;

const TAIL = `
## Grants and denials

\`grants\` and \`denials\` of an agent, at spawn and in PATCH: a list that is given takes the place of the one before. **A denial beats every level
and every grant.**

- \`tools\`: granted, tools of MCP servers and plugins; denied, any tool: it is not offered, and refused.
- \`hosts\`: granted, where requests may go (\`host\`, \`host:port\`, or \`*.host\` for all below it); denied, where they may not, judged by name
  at each hop.
- \`paths\`: granted, all that the process sees, \`/workspace/a\` to read and write, \`/workspace/a:ro\` to read only; denied, what it does not see,
  with all below.
- \`credentials\`: granted only, names of credentials that requests may carry.

Paths are judged by whole names (\`/workspace/ab\` is not in \`/workspace/a\`), and the longest entry that covers a path decides. What a process does
not see is not there for it: reading answers \`not_found\`, and no listing names it, also for its programs in the sandbox. People see all
files of the agent by the API.
`;

export function permissionsPage(): string {
  const levels = CAPABILITIES.map((capability) => row(wordsOf(capability), capability));
  const tools = Object.values(SYSCALLS).map(({ name, capability }) => row(`\`${name}\``, capability));
  const header = (first: string) => [
    `| ${[first, ...PERMISSION_LEVELS].join(" | ")} |`,
    `| ${["---", ...PERMISSION_LEVELS.map(() => "---")].join(" | ")} |`,
  ];
  return `${[HEAD, ...header("a process may"), ...levels, "\n## Tools\n", ...header("tool"), ...tools].join("\n")}\n${TAIL}`;
}

function row(what: string, capability: Capability): string {
  return `| ${[what, ...PERMISSION_LEVELS.map((level) => (allows(level, capability) ? "yes" : "no"))].join(" | ")} |`;
}
