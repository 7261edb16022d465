import type { TrailReport } from "../../../kernel/log/verification.ts";
import type { CheckedCitation } from "./citation-check.ts";

/** What the demo must show. Of the user's own question only what holds for any: quotes that stand, whole chains. */
export interface Expectation {
  /** Tokens that the memory must hold. */
  tokens?: number;
  /** Words that the answer must hold. */
  answer?: string;
  /** The document that the answer must cite. */
  source?: string;
}

export interface Outcome {
  answer: string;
  citations: readonly CheckedCitation[];
  tokens: number;
  chains: readonly Pick<TrailReport, "ok" | "entries" | "head">[];
}

/** Every way in which `outcome` falls short, in words; empty when it is as it must be. */
export function verdict(expect: Expectation, { answer, citations, tokens, chains }: Outcome): string[] {
  const quoted = citations.filter(({ quote }) => quote !== null);
  const shortcomings: [boolean, string][] = [
    [quoted.length === 0, "the answer quotes no page"],
    [quoted.some(({ stands }) => !stands), "a quote does not stand in the page that it names"],
    [chains.some(({ ok }) => !ok), "an audit chain is broken"],
    [tokens < (expect.tokens ?? 0), `the memory holds ${tokens} tokens, not ${expect.tokens}`],
    [!flat(answer).includes(flat(expect.answer ?? "")), `the answer does not say "${expect.answer}"`],
    [
      expect.source !== undefined && !citations.some(({ source }) => source === expect.source),
      `the answer does not cite ${expect.source}`,
    ],
  ];
  return shortcomings.flatMap(([falls, words]) => (falls ? [words] : []));
}

/** Without Markdown's emphasis, which may stand inside a quote. */
function flat(text: string): string {
  return text
    .replaceAll(/[*_`]+/g, "")
    .replaceAll(/\s+/g, " ")
    .toLowerCase();
}
