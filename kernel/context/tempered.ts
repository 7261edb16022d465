import type { Form, Query } from "./query.ts";
import type { TermScores } from "./term-scores.ts";
import { isDense } from "./words.ts";

/** An English word that stands for a more common one often has another sense, so of how much rarer it is only this power counts. */
const RARER = 0.5;

/** `query` with the words that stand for others weighed by how rare both are in what is searched. */
export function tempered(query: Query, terms: TermScores): Query {
  const rarity = (form: Form) => form.terms.reduce((sum, term) => sum + terms.rarity(term), 0) / form.terms.length;
  const concepts = query.concepts.map(({ weight, forms: [own, ...kin] }) => {
    if (own === undefined || isDense(own.word) || own.terms.every((term) => terms.frequency(term) === 0))
      return { weight, forms: own === undefined ? kin : [own, ...kin] };
    const ownRarity = rarity(own);
    const temper = (form: Form) => ({
      ...form,
      weight: form.weight * Math.min(1, ownRarity / rarity(form)) ** RARER,
    });
    return { weight, forms: [own, ...kin.map(temper)] };
  });
  return { ...query, concepts };
}
