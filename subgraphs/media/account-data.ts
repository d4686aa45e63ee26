import { deleteInPieces, inPages, type AccountData } from '../../platform/account-data';
import { removeTopics } from '../../platform/events/remove-topics';
import type { Platform } from '../../platform/platform';
import { AccountRecords } from './account-records';
import { transcriptTopic } from './events';
import { asMediaTransaction, MEDIA_MODELS } from './records';

/** Rows read at once. */
const PAGE = 200;
/** Deleted in one transaction: what hangs on a long recording are tens of thousands of rows, and a statement may take 15 s. */
const TRANSCRIPTS = 5;
const RECORDINGS = 50;
const AUDIO_ROWS = 2_000;

/**
 * What this slice has of an account: recordings with what was found in them, transcripts with their segments, speakers and
 * translations, and live sessions. The bytes are files, and belong to the files slice.
 */
export function createMediaAccountData({ database }: Pick<Platform, 'database'>): AccountData {
  const records = new AccountRecords(database.slice(MEDIA_MODELS));
  return {
    subgraph: 'media',
    async export(ownerId, archive) {
      const transcripts = () => inPages((afterId) => records.transcripts(ownerId, PAGE, afterId));
      const recordings = inPages((afterId) => records.recordings(ownerId, PAGE, afterId));
      const liveSessions = inPages((afterId) => records.liveSessions(ownerId, PAGE, afterId));
      async function* segments() {
        for await (const { id } of transcripts()) yield* inPages((afterId) => records.segments(id, PAGE, afterId));
      }
      return {
        recordings: await archive.lines('media/recordings.ndjson', recordings),
        transcripts: await archive.lines('media/transcripts.ndjson', transcripts()),
        segments: await archive.lines('media/segments.ndjson', segments()),
        liveSessions: await archive.lines('media/live-sessions.ndjson', liveSessions),
      };
    },
    async delete({ ownerId, step }) {
      await deleteInPieces({ step }, async (tx) => ({
        liveAudioRows: await records.deleteLiveAudio(asMediaTransaction(tx), ownerId, AUDIO_ROWS),
      }));
      await deleteInPieces({ step }, async (platformTx) => {
        const tx = asMediaTransaction(platformTx);
        const { ids, ...counts } = await records.deleteTranscripts(tx, ownerId, TRANSCRIPTS);
        await removeTopics(tx, ids.map(transcriptTopic));
        return counts;
      });
      await deleteInPieces({ step }, async (tx) => ({
        recordings: await records.deleteRecordings(asMediaTransaction(tx), ownerId, RECORDINGS),
      }));
      await step(async (tx) => ({ mentions: await records.forgetSpeaker(asMediaTransaction(tx), ownerId) }));
    },
  };
}
