/** Taken from the count of what was seen, for what was not: Ney's absolute discounting, with the usual half. */
const DISCOUNT = 0.5;
const BEGIN = '<s>';
const END = '</s>';
const NEVER = -99;

/** Counts by history, e.g. `the red` → `cross` → 2. */
type Counts = Map<string, Map<string, number>>;
type Probability = (history: string, word: string) => number;

/**
 * A trigram model of sentences (arrays of words) in ARPA's format, with absolute discounting: p(w) = c/N,
 * p(w|h) = (c − ½)/c(h) for what follows h in a sentence, and for the rest what h leaves, shared as the shorter history
 * shares it. Every word is as likely as it is frequent in the sentences; a word that is not in them has no place.
 */
export function trigramModel(sentences: readonly (readonly string[])[]): string {
  const [single, pairs, triples] = [1, 2, 3].map((length) => count(sentences, length)) as [Counts, Counts, Counts];
  const total = sum(single.get('')!);
  const p1: Probability = (_, word) => (single.get('')!.get(word) ?? 0) / total;
  const p2 = discounted(pairs);
  const left1 = backoff(pairs, p2, p1);
  const left2 = backoff(triples, discounted(triples), p2);
  const singles = [
    `${NEVER} ${BEGIN} ${left1(BEGIN)}`,
    ...rows(single, p1).map(({ text, log }) => `${log} ${text} ${left1(text)}`),
  ];
  const doubles = rows(pairs, p2).map(({ text, log }) => `${log} ${text} ${left2(text)}`);
  const trebles = rows(triples, discounted(triples)).map(({ text, log }) => `${log} ${text}`);
  return [
    '\\data\\',
    ...[singles, doubles, trebles].map((grams, index) => `ngram ${index + 1}=${grams.length}`),
    ...[singles, doubles, trebles].flatMap((grams, index) => ['', `\\${index + 1}-grams:`, ...grams]),
    '\n\\end\\\n',
  ].join('\n');
}

/** How often each word follows each history of `length - 1` words. */
function count(sentences: readonly (readonly string[])[], length: number): Counts {
  const counts: Counts = new Map();
  for (const sentence of sentences) {
    const marked = [BEGIN, ...sentence, END];
    for (let at = Math.max(1, length - 1); at < marked.length; at++) {
      const history = marked.slice(at - length + 1, at).join(' ');
      const following = counts.get(history) ?? new Map<string, number>();
      following.set(marked[at]!, (following.get(marked[at]!) ?? 0) + 1);
      counts.set(history, following);
    }
  }
  return counts;
}

function discounted(counts: Counts): Probability {
  const totals = new Map([...counts].map(([history, following]) => [history, sum(following)]));
  return (history, word) => (counts.get(history)!.get(word)! - DISCOUNT) / totals.get(history)!;
}

/** What a history leaves to words that did not follow it, relative to what the shorter history gives them; as log10. */
function backoff(counts: Counts, longer: Probability, shorter: Probability): (history: string) => string {
  return (history) => {
    const following = [...(counts.get(history)?.keys() ?? [])];
    if (following.length === 0) return '0.0000';
    const rest = history.split(' ').slice(1).join(' ');
    const left = 1 - sum(following.map((word) => longer(history, word)));
    const leftShorter = 1 - sum(following.map((word) => shorter(rest, word)));
    return leftShorter > 1e-9 ? format(left / leftShorter) : '0.0000';
  };
}

function rows(counts: Counts, probability: Probability): { text: string; log: string }[] {
  return [...counts].flatMap(([history, following]) =>
    [...following.keys()].map((word) => ({
      text: `${history} ${word}`.trim(),
      log: format(probability(history, word)),
    })),
  );
}

function format(probability: number): string {
  return Math.log10(probability).toFixed(4);
}

function sum(values: Map<string, number> | readonly number[]): number {
  let total = 0;
  for (const value of values.values()) total += value;
  return total;
}
