import { inviteWriter } from '../live/ingest/invitation';
import type { ErrorCode, LiveSessionResolvers } from '../resolvers-types.generated';

export const LiveSession: LiveSessionResolvers = {
  __resolveReference: ({ id }, { loaders }) => loaders.ownLiveSession.load(id),
  // Workers give codes of the enum only; serialization refuses any other.
  error: ({ errorCode, errorMessage }) =>
    errorCode === null ? null : { code: errorCode as ErrorCode, message: errorMessage ?? '', retryable: false },
  owner: ({ ownerId }) => ({ id: ownerId }),
  engine: async ({ transcriptId }, _args, { loaders }) => (await loaders.ownTranscript.load(transcriptId))!.engine,
  transcript: async ({ transcriptId }, _args, { loaders }) => (await loaders.ownTranscript.load(transcriptId))!,
  media: ({ mediaId }, _args, { loaders }) => (mediaId === null ? null : loaders.ownMedia.load(mediaId)),
  storedBytes: ({ storedBytes }) => Number(storedBytes),
  ingest: (session, _args, { ingestTokens, links }) => inviteWriter(session, ingestTokens, links.publicUrl()),
};
