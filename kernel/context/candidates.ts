import { LIMITS } from "../limits.ts";
import type { Hit } from "./page-index.ts";
import type { Concept, Form } from "./query.ts";
import type { TermScores } from "./term-scores.ts";

/**
 * The first look of a search, at the index alone: BM25 of every concept by page. Of a concept the best form that a page has
 * counts. The question's own words come first, rare ones before common ones; then words that stand for them, as far as
 * they are cheap, so that a search over a hundred thousand pages costs little more than one over a thousand.
 */

/** A word that no page has: pages with words that begin alike count this much instead. */
const RELATIVE = 0.5;
const RELATIVE_STEM_SHARE = 0.7;
const RELATIVE_STEM_CHARS = 4;
/** Below 1, several concepts say more than one rare one. */
const CONCEPT_POWER = 0.7;

/** By page ordinal, higher is better. */
export type Scores = Map<number, number>;

interface Probe extends Form {
  concept: number;
  /** Of the question itself, not a word that stands for it. */
  own: boolean;
  /** Index entries to look at. */
  postings: number;
}

export class Candidates {
  readonly #terms: TermScores;

  constructor(terms: TermScores) {
    this.#terms = terms;
  }

  /** Scores of pages by ordinal; at least `enough` pages are found if any words can find them. */
  scores(concepts: readonly Concept[], enough: number): Scores {
    const byConcept = concepts.map((): Scores => new Map());
    const pages = new Set<number>();
    let postings = 0;
    for (const probe of this.#probes(concepts)) {
      const affordable =
        postings + probe.postings <= (probe.own ? LIMITS.searchPostings : LIMITS.searchKindredPostings);
      const weight = (concepts[probe.concept]?.weight ?? 0) * probe.weight;
      const needed = pages.size < enough || (weight >= 1 && probe.postings <= LIMITS.searchPostings);
      if (!affordable && !(probe.own && needed)) continue;
      const hits = this.#hitsOf(probe, affordable);
      postings += affordable ? probe.postings : hits.length;
      const best = byConcept[probe.concept];
      for (const { ordinal, score } of hits) {
        pages.add(ordinal);
        if (score * probe.weight > (best?.get(ordinal) ?? 0)) best?.set(ordinal, score * probe.weight);
      }
    }
    return sumOf(concepts, byConcept);
  }

  #hitsOf({ own, terms }: Probe, all: boolean): readonly Hit[] {
    const hits = terms.map((term) => (all ? this.#terms.hits(term) : this.#terms.bestHits(term)));
    if (hits.length === 1) return hits[0] ?? [];
    const sums = new Map<number, { score: number; terms: number }>();
    for (const { ordinal, score } of hits.flat()) {
      const sum = sums.get(ordinal) ?? { score: 0, terms: 0 };
      sums.set(ordinal, { score: sum.score + score, terms: sum.terms + 1 });
    }
    // A word of the question may be there in part; one that stands for it must be there.
    const found = [...sums].filter(([, sum]) => own || sum.terms === terms.length);
    return found.map(([ordinal, { score }]) => ({ ordinal, score: score / Math.sqrt(terms.length) }));
  }

  /** Rarest first: the question's own words, then the words that stand for them. */
  #probes(concepts: readonly Concept[]): Probe[] {
    const probes = concepts.flatMap(({ forms }, concept) =>
      forms.flatMap((form, i) => this.#probesOf(form, concept, i === 0)),
    );
    return probes.sort((a, b) => Number(b.own) - Number(a.own) || a.postings - b.postings);
  }

  #probesOf(form: Form, concept: number, own: boolean): Probe[] {
    const postings = this.#postings(form);
    const indexed = own ? postings > 0 : form.terms.every((term) => this.#terms.frequency(term) > 0);
    if (indexed) return [{ ...form, concept, own, postings }];
    return own ? this.#relatives(form, concept) : [];
  }

  /** Index entries. */
  #postings({ terms }: Form): number {
    return terms.reduce((sum, term) => sum + this.#terms.frequency(term), 0);
  }

  #relatives({ word }: Form, concept: number): Probe[] {
    if (!/^[a-z]+$/.test(word)) return [];
    const prefix = word.slice(0, Math.max(RELATIVE_STEM_CHARS, Math.floor(word.length * RELATIVE_STEM_SHARE)));
    const found = this.#terms.relatives(prefix).filter((term) => term.length <= word.length + RELATIVE_STEM_CHARS);
    return found.flatMap((term): Probe[] => {
      const postings = this.#terms.frequency(term);
      const form = { word: term, terms: [term], weight: RELATIVE };
      return postings === 0 ? [] : [{ ...form, concept, own: true, postings }];
    });
  }
}

function sumOf(concepts: readonly Concept[], byConcept: readonly Scores[]): Scores {
  const totals: Scores = new Map();
  byConcept.forEach((scores, i) => {
    const weight = concepts[i]?.weight ?? 0;
    for (const [ordinal, score] of scores) {
      totals.set(ordinal, (totals.get(ordinal) ?? 0) + weight * score ** CONCEPT_POWER);
    }
  });
  return totals;
}
