import type { Belongings } from './rule';

/** How an entity is asked for by its key, at the subgraph that resolves it. */
export interface EntityRule {
  /** Null: the subgraph keeps nothing about it, and knows no owner. */
  kind: keyof Belongings | null;
  shown: string;
  administrator?: 'as owner';
  administratorsOnly?: true;
}

/** By `Type@subgraph`. */
export const ENTITY_RULES: Readonly<Record<string, EntityRule>> = {
  'User@users': { kind: 'usr', shown: 'id email', administrator: 'as owner' },
  'Session@users': { kind: 'ses', shown: 'id deviceName' },
  'AccountJob@users': { kind: 'acj', shown: 'id kind' },
  'AuditEvent@users': { kind: 'aud', shown: 'id action', administrator: 'as owner', administratorsOnly: true },
  'File@files': { kind: 'fil', shown: 'id name' },
  'Media@media': { kind: 'med', shown: 'id title' },
  'Transcript@media': { kind: 'trn', shown: 'id text' },
  'TranscriptSegment@media': { kind: 'seg', shown: 'id text' },
  'TranscriptTranslation@media': { kind: 'ttr', shown: 'id language' },
  'Rendition@media': { kind: 'rnd', shown: 'id preset' },
  'MediaJob@media': { kind: 'job', shown: 'id kind' },
  'LiveSession@media': { kind: 'liv', shown: 'id title' },
  // What is translated comes with the representation, which the gateway has from media and signs.
  'TranscriptSegment@translation': { kind: null, shown: 'id' },
  'Notification@notification': { kind: 'ntf', shown: 'id title' },
};
