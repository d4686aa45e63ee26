import type { CodegenConfig } from '@graphql-codegen/cli';

/** How a scalar looks in resolvers; see platform/subgraph/scalars.ts. */
const scalars = {
  DateTime: { input: 'Date', output: 'Date' },
  LanguageTag: 'string',
  Long: { input: 'number', output: 'number | bigint' },
  URL: 'string',
  JSON: 'unknown',
  Upload: { input: "Promise<import('graphql-upload-minimal').FileUpload>", output: 'never' },
};

/** How a scalar looks on the wire, for the typed client. */
const clientScalars = {
  DateTime: 'string',
  LanguageTag: 'string',
  Long: 'number',
  URL: 'string',
  JSON: 'unknown',
  Upload: 'null',
};

/** Resolver types of one subgraph. `mappers` names the row or model that stands for a GraphQL type inside the slice. */
function subgraph(name: string, context: string, mappers: Record<string, string>): CodegenConfig['generates'] {
  return {
    [`subgraphs/${name}/resolvers-types.generated.ts`]: {
      schema: `subgraphs/${name}/schema.graphql`,
      plugins: ['typescript', 'typescript-resolvers'],
      config: {
        federation: true,
        contextType: `./context#${context}`,
        mappers: { UserError: '../../platform/errors#UserProblem', ...mappers },
        scalars,
        useTypeImports: true,
        enumsAsTypes: true,
        avoidOptionals: { field: true },
        defaultMapper: 'Partial<{T}>',
        noSchemaStitching: true,
      },
    },
  };
}

const config: CodegenConfig = {
  generates: {
    ...subgraph('users', 'UsersContext', {
      User: './records#UserRow',
      UserConnection: './administration/administration#UserPage',
      AuditEvent: './audit/audit-records#AuditEventRow',
      AccountJob: './privacy/privacy-records#AccountJobRow',
      Profile: './records#UserRow',
      Preferences: './records#UserRow',
      Session: './records#SessionRow',
      Identity: './oauth/identity-records#IdentityRow as LinkedIdentity',
      ViewerChange: './profile/viewer-changes#ViewerChange as Change',
      StreamGap: '../../platform/events/stream#StreamGap as Gap',
      CreditAccount: './credits/credit-records#CreditState',
      CreditEntry: './credits/credit-records#CreditEntryRow',
      Plan: './credits/credit-records#PlanRow',
    }),
    ...subgraph('files', 'FilesContext', { File: './records#FileRow' }),
    ...subgraph('media', 'MediaContext', {
      Media: './records#MediaRow',
      Transcript: './records#TranscriptRow',
      TranscriptSegment: './records#SegmentRow',
      Lineage: './lineage/lineage-records#LineageRow',
      TranscriptTranslation: './translating/translation-records#TranslationRow',
      Speaker: './speakers/speaker-records#SpeakerRow',
      LiveSession: './live/sessions#ShownSession',
      SearchHit: './search/search#Hit',
      MediaJob: './records#JobRow',
      Rendition: './transcoding/rendition-records#RenditionRow',
      MediaJobResult: './job-results#JobResult',
      StreamGap: '../../platform/events/stream#StreamGap as Gap',
    }),
    ...subgraph('translation', 'TranslationContext', { TranscriptSegment: './context#SegmentRepresentation' }),
    'client/operations.generated.ts': {
      schema: 'gateway/supergraph.graphql',
      documents: 'client/operations/*.graphql',
      plugins: ['typescript-operations', 'typed-document-node'],
      config: { scalars: clientScalars, onlyOperationTypes: true, enumsAsTypes: true, useTypeImports: true },
    },
    ...subgraph('notification', 'NotificationContext', {
      Notification: './records#NotificationRow',
      InboxChanged: './inbox#InboxChange',
      JobSummary: './jobs#JobSummary as JobSummaryRow',
      StreamGap: '../../platform/events/stream#StreamGap as Gap',
    }),
  },
};

export default config;
