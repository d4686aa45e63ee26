import { scalars } from '../../../platform/subgraph/scalars';
import { GraphQLUpload } from '../../../platform/subgraph/uploads';
import type { Resolvers } from '../resolvers-types.generated';
import { Lineage } from './Lineage';
import { LiveSession } from './LiveSession';
import { LiveSessionChanged, LiveTranscriptEvent } from './LiveTranscriptEvent';
import { Media } from './Media';
import { MediaJob } from './MediaJob';
import { appendLiveAudio } from './Mutation/appendLiveAudio';
import { createMedia } from './Mutation/createMedia';
import { endLiveSession } from './Mutation/endLiveSession';
import { exportTranscript } from './Mutation/exportTranscript';
import { flushLiveSession } from './Mutation/flushLiveSession';
import { reprocess } from './Mutation/reprocess';
import { editSegment } from './Mutation/editSegment';
import { renameSpeaker } from './Mutation/renameSpeaker';
import { startLiveSession } from './Mutation/startLiveSession';
import { transcribe } from './Mutation/transcribe';
import { transcode } from './Mutation/transcode';
import { translateTranscript } from './Mutation/translateTranscript';
import { estimate } from './Query/estimate';
import { library } from './Query/library';
import { liveSession } from './Query/liveSession';
import { liveSessions } from './Query/liveSessions';
import { media } from './Query/media';
import { mediaEngines } from './Query/mediaEngines';
import { search } from './Query/search';
import { transcript } from './Query/transcript';
import { SearchHit } from './SearchHit';
import { Speaker } from './Speaker';
import { liveTranscript } from './Subscription/liveTranscript';
import { transcriptEvents } from './Subscription/transcriptEvents';
import { Rendition } from './Rendition';
import { Transcript } from './Transcript';
import { TranscriptEvent, TranscriptFinished } from './TranscriptEvent';
import { TranscriptSegment } from './TranscriptSegment';
import { TranscriptTranslation } from './TranscriptTranslation';

export const resolvers: Resolvers = {
  Query: { media, library, transcript, search, mediaEngines, estimate, liveSession, liveSessions },
  Mutation: {
    createMedia,
    transcribe,
    translateTranscript,
    exportTranscript,
    transcode,
    reprocess,
    editSegment,
    renameSpeaker,
    startLiveSession,
    appendLiveAudio,
    flushLiveSession,
    endLiveSession,
  },
  Subscription: { transcriptEvents, liveTranscript },
  Media,
  Transcript,
  TranscriptSegment,
  Speaker,
  SearchHit,
  MediaJob,
  Rendition,
  MediaJobResult: { __resolveType: ({ __typename }) => __typename },
  TranscriptTranslation,
  Lineage,
  TranscriptEvent,
  TranscriptFinished,
  LiveSession,
  LiveTranscriptEvent,
  LiveSessionChanged,
  DateTime: scalars.DateTime,
  LanguageTag: scalars.LanguageTag,
  JSON: scalars.JSON,
  URL: scalars.URL,
  Upload: GraphQLUpload,
};
