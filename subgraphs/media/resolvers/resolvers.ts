import { scalars } from '../../../platform/subgraph/scalars';
import { GraphQLUpload } from '../../../platform/subgraph/uploads';
import type { Resolvers } from '../resolvers-types.generated';
import { Media } from './Media';
import { MediaJob } from './MediaJob';
import { createMedia } from './Mutation/createMedia';
import { exportTranscript } from './Mutation/exportTranscript';
import { transcribe } from './Mutation/transcribe';
import { transcode } from './Mutation/transcode';
import { translateTranscript } from './Mutation/translateTranscript';
import { library } from './Query/library';
import { media } from './Query/media';
import { mediaEngines } from './Query/mediaEngines';
import { transcript } from './Query/transcript';
import { transcriptEvents } from './Subscription/transcriptEvents';
import { Rendition } from './Rendition';
import { Transcript } from './Transcript';
import { TranscriptEvent, TranscriptFinished } from './TranscriptEvent';
import { TranscriptSegment } from './TranscriptSegment';
import { TranscriptTranslation } from './TranscriptTranslation';

export const resolvers: Resolvers = {
  Query: { media, library, transcript, mediaEngines },
  Mutation: { createMedia, transcribe, translateTranscript, exportTranscript, transcode },
  Subscription: { transcriptEvents },
  Media,
  Transcript,
  TranscriptSegment,
  MediaJob,
  Rendition,
  MediaJobResult: { __resolveType: ({ __typename }) => __typename! },
  TranscriptTranslation,
  TranscriptEvent,
  TranscriptFinished,
  DateTime: scalars.DateTime,
  LanguageTag: scalars.LanguageTag,
  JSON: scalars.JSON,
  URL: scalars.URL,
  Upload: GraphQLUpload,
};
