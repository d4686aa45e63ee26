/** How a list of the composed schema is read. */
export interface ListRule {
  /** Takes `$after`; shows everything that could tell of others: items, cursors and counts. */
  document: string;
  administratorsOnly?: true;
}

const PAGE = 'pageInfo { hasNextPage hasPreviousPage startCursor endCursor }';
const list = (field: string, node: string, more = ''): ListRule => ({
  document: `query List($after: String) { ${field.replace(')', ', after: $after)')} { edges { cursor node { ${node} } } ${more} ${PAGE} } }`,
});

/** Lists that hold what belongs to somebody. */
export const LIST_RULES: Readonly<Record<string, ListRule>> = {
  'Query.library': list('library(filter: { search: "talk" })', 'id title'),
  'Query.search': list('search(query: "one")', '__typename'),
  'Query.liveSessions': list('liveSessions(first: 100)', 'id title'),
  'Query.files': list('files(first: 100)', 'id name'),
  'Query.inbox': list('inbox(first: 100)', 'id title', 'unread'),
  'Query.jobs': list('jobs(first: 100)', 'jobId kind'),
  'Query.users': { ...list('users(first: 100)', 'id email', 'totalCount'), administratorsOnly: true },
  'Query.auditLog': { ...list('auditLog(first: 100)', 'id action'), administratorsOnly: true },
};

/** Lists that are the same for everybody. */
export const PUBLIC_LISTS: readonly string[] = [
  'Query.detectLanguage',
  'Query.identityProviders',
  'Query.languages',
  'Query.mediaEngines',
  'Query.plans',
  'Query.translationEngines',
];
