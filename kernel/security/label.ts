import * as z from "zod";

/**
 * Where content comes from, and who may see it. A label travels with content wherever that goes: pages, segments, messages, files,
 * results. What is made from several things carries the least trust and the most sensitivity of all of them.
 *
 * operator = goal, instructions, what an operator vouches for; user = a message to the agent; untrusted = documents, the web, tools:
 * data, never orders. public = anybody may see it; private = the tenant's own; secret = may leave with a person's yes only.
 */

export const TRUSTS = ["operator", "user", "untrusted"] as const;
export const SENSITIVITIES = ["public", "private", "secret"] as const;
export type Trust = (typeof TRUSTS)[number];
export type Sensitivity = (typeof SENSITIVITIES)[number];

export const label = z.object({ trust: z.enum(TRUSTS), sensitivity: z.enum(SENSITIVITIES) });
export type Label = z.infer<typeof label>;

/** What somebody who hands content in may say of it. */
export const labelInput = {
  /** Absent = the default of the kind of content. */
  trust: z.enum(TRUSTS).optional(),
  sensitivity: z.enum(SENSITIVITIES).optional(),
};
export type LabelInput = { trust?: Trust | undefined; sensitivity?: Sensitivity | undefined };

export const LABELS = {
  /** Goal and instructions. */
  orders: { trust: "operator", sensitivity: "public" },
  message: { trust: "user", sensitivity: "public" },
  /** Documents and files that somebody hands in, and whatever an older version stored without saying. */
  document: { trust: "untrusted", sensitivity: "private" },
  /** What comes from outside. */
  web: { trust: "untrusted", sensitivity: "public" },
} as const satisfies Record<string, Label>;

/** Least trust, most sensitivity. */
export function join(...labels: readonly Label[]): Label {
  return {
    trust: highest(
      TRUSTS,
      labels.map(({ trust }) => trust),
    ),
    sensitivity: highest(
      SENSITIVITIES,
      labels.map(({ sensitivity }) => sensitivity),
    ),
  };
}

function highest<T extends string>(order: readonly T[], found: readonly T[]): T {
  return order[Math.max(0, ...found.map((one) => order.indexOf(one)))] as T;
}

export function isSame(a: Label, b: Label): boolean {
  return a.trust === b.trust && a.sensitivity === b.sensitivity;
}

/** `trust/sensitivity`, as tables keep it. */
export function labelText({ trust, sensitivity }: Label): string {
  return `${trust}/${sensitivity}`;
}

/** A text that is no label counts as the worst of all. */
export function labelOf(text: string): Label {
  const [trust, sensitivity] = text.split("/");
  const parsed = label.safeParse({ trust, sensitivity });
  return parsed.success ? parsed.data : { trust: "untrusted", sensitivity: "secret" };
}

/** What was said of content, completed by what holds for its kind. */
export function labelled({ trust, sensitivity }: LabelInput, otherwise: Label): Label {
  return { trust: trust ?? otherwise.trust, sensitivity: sensitivity ?? otherwise.sensitivity };
}
