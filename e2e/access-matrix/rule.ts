import type { IdPrefix } from '../../platform/ids';
import type { SubgraphName } from './places';

/** Everything that somebody has here, by the kind of its id. */
export type Belongings = Record<Exclude<IdPrefix, 'crd' | 'mal'> | 'acj' | 'mfp', string>;

/** The prefix of the ids of a kind; `acj` are jobs about the whole account, `mfp` factors that are being set up. */
export function prefixOf(kind: keyof Belongings): IdPrefix {
  if (kind === 'acj') return 'job';
  return kind === 'mfp' ? 'mfa' : kind;
}

/** How a place of the schema is asked with an id. */
export interface Rule {
  kind: keyof Belongings;
  subgraph: SubgraphName;
  document: string;
  /** With the id in question, by somebody who names `own` things everywhere else. */
  variables: (id: string, own: Belongings) => Record<string, unknown>;
  /** Where in the variables a small file has to be. */
  upload?: string;
  /** What an administrator may do there: the same as its owner, or as anybody else (default). */
  administrator?: 'as owner';
  /** Demands the scope of administrators: its owner is refused like everybody else. */
  administratorsOnly?: true;
}

export type Rules = Readonly<Record<string, Rule>>;

const ERRORS = 'errors { code message path }';

/** A mutation with one input, which holds the id at `field`. */
export function mutation(
  subgraph: SubgraphName,
  name: string,
  input: string,
  shown: string,
  kind: keyof Belongings,
  inputOf: (id: string, own: Belongings) => object,
): Rule {
  return {
    kind,
    subgraph,
    document: `mutation Go($input: ${input}!) { ${name}(input: $input) { ${shown} ${ERRORS} } }`,
    variables: (id, own) => ({ input: inputOf(id, own) }),
  };
}

/** A query of one object by its id. */
export function byId(subgraph: SubgraphName, name: string, shown: string, kind: keyof Belongings): Rule {
  return {
    kind,
    subgraph,
    document: `query Read($id: ID!) { ${name}(id: $id) { ${shown} } }`,
    variables: (id) => ({ id }),
  };
}
