import type { Label } from "./label.ts";

/**
 * Which calls what an agent has read may not bring about alone (kernel design, section 9). The model is taken to obey whatever it
 * reads: once it has read anything untrusted, each byte that it chooses may be a stranger's.
 *
 * So an agent that has read untrusted content and holds what is not public sends nothing outside that it composed itself; it
 * changes nothing outside at a place that was neither granted nor named by an operator or user; it runs no code with a network, writes nothing that other agents rely on,
 * and does nothing that cannot be undone. Each of these waits for a person's yes.
 */

/** How a call acts outwards. */
export interface Outward {
  /** read = asks a host for something; write = changes something there; code = a program that may do either; shared = a place that others read. */
  act: "read" | "write" | "code" | "shared";
  /** Where, if the call says it. */
  url: string | null;
  /** Whether the URL is all that the model chose: no headers, no body. */
  isBare: boolean;
}

export interface Flow {
  /** Of everything that the model may have read. */
  label: Label;
  outward: Outward | null;
  /** Whether an operator or a user wrote the URL, character by character. */
  isNamed: boolean;
  /** Whether the operator granted the process that very host. */
  isGranted: boolean;
  /** What of the call cannot be undone, if anything. */
  undone: string | null;
}

/** Why a person has to be asked, as the end of "It is asked because ..."; null = nobody has to. */
export function heldBack({ label, outward, isNamed, isGranted, undone }: Flow): string | null {
  if (label.trust !== "untrusted") return null;
  if (undone !== null) return `${undone}, and the agent has read untrusted content that may have asked for it`;
  if (outward === null) return null;
  const { act, isBare } = outward;
  if (act === "code") return "code with a network would run after the agent has read untrusted content";
  if (act === "shared") return "other agents would read what untrusted content may have dictated";
  if (isNamed && isBare) return null;
  if (label.sensitivity !== "public")
    return `the agent has read untrusted content and holds ${label.sensitivity} content, which the request could carry out`;
  if (act === "read" || isNamed || isGranted) return null;
  return "untrusted content may have chosen where this is sent: it was neither granted nor named by anybody who gives orders";
}
