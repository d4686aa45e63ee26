/** What may be said at one place of a grammar. */
export type Expression =
  | { type: 'words'; text: string; line: number }
  | { type: 'rule'; name: string; line: number }
  | { type: 'sequence'; items: Expression[] }
  | { type: 'choice'; options: { weight: number | null; item: Expression }[] }
  | { type: 'optional'; item: Expression }
  | { type: 'repeated'; item: Expression; atLeastOnce: boolean; line: number };

export interface Rule {
  name: string;
  isPublic: boolean;
  line: number;
  item: Expression;
}

/** A grammar that holds all the rules it names; the public ones are what can be said. */
export type Grammar = ReadonlyMap<string, Rule>;
