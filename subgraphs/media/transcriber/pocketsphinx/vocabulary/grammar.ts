import { graphOf, type GrammarGraph } from './grammar-graph';
import { InvalidVocabularyError, readTokens, type GrammarToken } from './grammar-text';
import type { Expression, Grammar, Rule } from './grammar-tree';

/** Whether PocketSphinx can be held to a grammar: null, or the line and what must be otherwise. Reads nothing but the text. */
export function checkGrammar(text: string): string | null {
  try {
    readGrammar(text);
    return null;
  } catch (error) {
    if (error instanceof InvalidVocabularyError) return error.message;
    throw error;
  }
}

/**
 * Reads a grammar in JSGF (www.w3.org/TR/jsgf) into the graph of what can be said: the header and the grammar's name may
 * be missing; rules with alternatives, weights, groups, options, repetitions and references; no imports, no tags, no
 * recursion. Throws InvalidVocabularyError, also when there would be too much to search.
 */
export function readGrammar(text: string): GrammarGraph {
  if (text.length > MOST_CHARACTERS) {
    throw new InvalidVocabularyError(1, `it has ${text.length} characters; the most are ${MOST_CHARACTERS}.`);
  }
  return graphOf(new Parser(readTokens(text)).grammar());
}

/** As the schema says. */
const MOST_CHARACTERS = 10_000;
const DEEPEST_NESTING = 20;

class Parser {
  #at = 0;
  #depth = 0;

  constructor(private readonly tokens: readonly GrammarToken[]) {}

  grammar(): Grammar {
    const rules = new Map<string, Rule>();
    this.#skipName();
    while (this.#next.type !== 'end') {
      const rule = this.#rule();
      if (rules.has(rule.name)) this.#fail(`the rule <${rule.name}> is defined twice.`, rule.line);
      rules.set(rule.name, rule);
    }
    return rules;
  }

  get #next(): GrammarToken {
    return this.tokens[this.#at]!;
  }

  #skipName(): void {
    if (this.#next.type !== 'words' || this.#next.text !== 'grammar') return;
    this.#at++;
    if (this.#next.type !== 'words') this.#fail('the name of the grammar is missing behind "grammar".');
    this.#at++;
    this.#expect(';', 'the name of the grammar must end with ";".');
  }

  #rule(): Rule {
    const isPublic = this.#next.type === 'words' && this.#next.text === 'public';
    if (isPublic) this.#at++;
    const { type, text, line } = this.#next;
    if (type === 'words' && text === 'import') this.#fail('imports are not supported.');
    if (type !== 'rule')
      this.#fail(`a rule must begin with its name, e.g. "public <order> = …;"; here stands "${text}".`);
    this.#at++;
    this.#expect('=', `"=" is missing behind <${text}>.`);
    const item = this.#choice();
    this.#expect(';', `";" is missing at the end of <${text}>.`);
    return { name: text, isPublic, line, item };
  }

  #choice(): Expression {
    if (++this.#depth > DEEPEST_NESTING) this.#fail(`brackets are nested more than ${DEEPEST_NESTING} deep.`);
    const options = [this.#option()];
    while (this.#take('|')) options.push(this.#option());
    this.#depth--;
    const weighted = options.filter(({ weight }) => weight !== null).length;
    if (weighted > 0 && weighted < options.length) this.#fail('either all alternatives have a weight or none.');
    if (weighted > 0 && options.every(({ weight }) => weight === 0)) this.#fail('all weights are 0.');
    return options.length === 1 ? options[0]!.item : { type: 'choice', options };
  }

  #option(): { weight: number | null; item: Expression } {
    const weight = this.#next.type === 'weight' ? Number(this.tokens[this.#at++]!.text) : null;
    const items: Expression[] = [];
    for (let item = this.#item(); item; item = this.#item()) items.push(item);
    if (items.length === 0) this.#fail(`an alternative is empty${this.#next.text && ` before "${this.#next.text}"`}.`);
    return { weight, item: items.length === 1 ? items[0]! : { type: 'sequence', items } };
  }

  #item(): Expression | null {
    let item = this.#single();
    while (item && this.#next.type === 'sign' && /[*+]/.test(this.#next.text)) {
      const { text, line } = this.tokens[this.#at++]!;
      item = { type: 'repeated', item, atLeastOnce: text === '+', line };
    }
    return item;
  }

  #single(): Expression | null {
    const { type, text, line } = this.#next;
    if (type === 'words' || type === 'rule') {
      this.#at++;
      return type === 'words' ? { type, text, line } : { type, name: text, line };
    }
    if (this.#take('(')) return this.#closed(')', line);
    if (this.#take('[')) return { type: 'optional', item: this.#closed(']', line) };
    return null;
  }

  #closed(sign: string, line: number): Expression {
    const item = this.#choice();
    this.#expect(sign, `"${sign}" is missing; it was opened in line ${line}.`);
    return item;
  }

  #take(sign: string): boolean {
    const isThere = this.#next.type === 'sign' && this.#next.text === sign;
    if (isThere) this.#at++;
    return isThere;
  }

  #expect(sign: string, reason: string): void {
    if (!this.#take(sign)) this.#fail(reason);
  }

  #fail(reason: string, line = this.#next.line): never {
    throw new InvalidVocabularyError(line, reason);
  }
}
