import { InvalidVocabularyError } from './grammar-text';
import type { Expression, Grammar } from './grammar-tree';
import { wordsOf } from './words';

/** What can be said, as PocketSphinx searches it: one state for each place of a word, in the format of sphinxbase's FSG. */
export interface GrammarGraph {
  text: string;
  /** By dictionary entry: how the word is written, and the line that names it first. */
  words: Map<string, { written: string; line: number }>;
}

/** A rule is written out at every place that names it, so a small grammar may become a huge graph. */
const MOST_PLACES = 10_000;
const MOST_TRANSITIONS = 100_000;
const MOST_STEPS = 100_000;

/** A part of the graph: the places its first word may take with their probability, those of its last, and that of none. */
interface Part {
  first: Map<number, number>;
  last: number[];
  silent: number;
}

/**
 * The graph of a grammar, by Glushkov's construction: without transitions that say nothing, on which PocketSphinx spends
 * time that grows with their number squared. Throws InvalidVocabularyError for what cannot be said or searched.
 */
export function graphOf(grammar: Grammar): GrammarGraph {
  const spoken = [...grammar.values()].filter(({ isPublic }) => isPublic);
  if (spoken.length === 0) {
    throw new InvalidVocabularyError(1, 'no rule is public, so nothing can be said. Write "public" before one.');
  }
  const builder = new GraphBuilder(grammar);
  const options = spoken.map(({ name, line }) => ({ weight: null, item: { type: 'rule', name, line } as const }));
  const graph = { text: builder.write({ type: 'choice', options }), words: new Map(builder.words) };
  builder.checkRest();
  return graph;
}

class GraphBuilder {
  readonly words: GrammarGraph['words'] = new Map();
  /** The entry at each place; place 0 is the beginning. */
  #entries = [''];
  #transitions: string[] = [];
  #steps = 0;
  readonly #open = new Set<string>();
  readonly #seen = new Set<string>();

  constructor(private readonly grammar: Grammar) {}

  write(item: Expression): string {
    const all = this.#part(item);
    const end = this.#entries.length;
    this.#link([0], all.first);
    return [
      'FSG_BEGIN vocabulary',
      `NUM_STATES ${end + 1}`,
      'START_STATE 0',
      `FINAL_STATE ${end}`,
      ...this.#transitions,
      ...(all.silent > 0 ? [0, ...all.last] : all.last).map((place) => `TRANSITION ${place} ${end} 1`),
      'FSG_END\n',
    ].join('\n');
  }

  /** Throws for a rule that nothing names just as for one that is used. */
  checkRest(): void {
    for (const { name, line } of this.grammar.values()) if (!this.#seen.has(name)) this.#rule(name, line);
  }

  #part(item: Expression): Part {
    if (++this.#steps > MOST_STEPS) this.#tooLarge();
    switch (item.type) {
      case 'words':
        return this.#words(item.text, item.line);
      case 'rule':
        return this.#rule(item.name, item.line);
      case 'sequence':
        return this.#sequence(item.items.map((part) => () => this.#part(part)));
      case 'choice':
        return this.#choice(item.options);
      case 'optional':
        return this.#choice([
          { weight: null, item: item.item },
          { weight: null, item: NOTHING },
        ]);
      case 'repeated': {
        const part = this.#part(item.item);
        this.#link(part.last, part.first, 0.5);
        return item.atLeastOnce ? part : { ...scaled(part, 0.5), silent: 0.5 };
      }
    }
  }

  #words(text: string, line: number): Part {
    const words = wordsOf(text);
    if (words.length === 0) throw new InvalidVocabularyError(line, `"${text}" is nothing that can be said.`);
    return this.#sequence(
      words.map(({ written, entry }) => () => {
        if (!this.words.has(entry)) this.words.set(entry, { written, line });
        const place = this.#entries.push(entry) - 1;
        if (place > MOST_PLACES) this.#tooLarge();
        return { first: new Map([[place, 1]]), last: [place], silent: 0 };
      }),
    );
  }

  #rule(name: string, line: number): Part {
    if (name === 'NULL') return { first: new Map(), last: [], silent: 1 };
    const rule = this.grammar.get(name);
    if (!rule) throw new InvalidVocabularyError(line, `there is no rule <${name}>.`);
    if (this.#open.has(name)) {
      throw new InvalidVocabularyError(line, `<${name}> holds itself; recursion is not supported, "*" and "+" are.`);
    }
    this.#open.add(name);
    this.#seen.add(name);
    const part = this.#part(rule.item);
    this.#open.delete(name);
    return part;
  }

  #sequence(parts: readonly (() => Part)[]): Part {
    const all: Part = { first: new Map(), last: [], silent: 1 };
    for (const part of parts) {
      const next = part();
      this.#link(all.last, next.first);
      for (const [place, probability] of next.first) {
        if (all.silent > 0) all.first.set(place, probability * all.silent);
      }
      all.last = next.silent > 0 ? [...all.last, ...next.last] : next.last;
      all.silent *= next.silent;
    }
    return all;
  }

  #choice(options: readonly { weight: number | null; item: Expression }[]): Part {
    const total = options.reduce((sum, { weight }) => sum + (weight ?? 1), 0);
    const all: Part = { first: new Map(), last: [], silent: 0 };
    for (const { weight, item } of options) {
      const { first, last, silent } = scaled(this.#part(item), (weight ?? 1) / total);
      for (const [place, probability] of first) all.first.set(place, probability);
      for (const place of last) all.last.push(place);
      all.silent += silent;
    }
    return all;
  }

  #link(from: readonly number[], to: ReadonlyMap<number, number>, share = 1): void {
    if (this.#transitions.length + from.length * to.size > MOST_TRANSITIONS) this.#tooLarge();
    for (const [place, probability] of to) {
      if (probability * share < LEAST) continue;
      const rest = `${place} ${(probability * share).toPrecision(4)} ${this.#entries[place]!}`;
      for (const before of from) this.#transitions.push(`TRANSITION ${before} ${rest}`);
    }
  }

  #tooLarge(): never {
    const most = `${MOST_PLACES} words or ${MOST_TRANSITIONS} ways from one to the next`;
    throw new InvalidVocabularyError(1, `it is too large: written out it has more than ${most}.`);
  }
}

const NOTHING: Expression = { type: 'rule', name: 'NULL', line: 0 };
/** What is less likely is never found. */
const LEAST = 1e-30;

function scaled({ first, last, silent }: Part, share: number): Part {
  return {
    first: new Map([...first].map(([place, probability]) => [place, probability * share])),
    last,
    silent: silent * share,
  };
}
