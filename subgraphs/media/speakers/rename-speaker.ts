import { UserProblemError } from '../../../platform/errors';
import type { EventLog } from '../../../platform/events/event-log';
import { isId } from '../../../platform/ids';
import type { Viewer } from '../../../platform/identity/viewer';
import type { MediaProblemCode } from '../errors';
import { transcriptTopic } from '../events';
import type { MediaRecords, MediaTransaction, TranscriptRow } from '../records';
import type { SpeakerRecords } from './speaker-records';

export interface RenameSpeakerInput {
  transcriptId: string;
  speakerId: string;
  label: string;
  userId?: string | null | undefined;
}

const MAX_LABEL_LENGTH = 100;

/** Names for those who speak. */
export class SpeakerNames {
  constructor(
    private readonly records: MediaRecords,
    private readonly speakers: SpeakerRecords,
    private readonly events: EventLog,
  ) {}

  /**
   * Names a speaker. A name changes no segment and no revision: it is the speaker's, who is the same as before. When
   * another speaker of the transcript has the name already, that one takes over everything the first one says: these
   * segments get their next revision and are announced, and so does the transcript.
   */
  async rename(viewer: Viewer, input: RenameSpeakerInput): Promise<TranscriptRow> {
    const label = checkedLabel(input.label);
    if (input.userId != null && input.userId !== viewer.userId) throw notFound('userId', 'There is no such user here.');
    return this.records.transaction(async (tx) => {
      const transcript = await this.own(tx, viewer, input.transcriptId);
      const all = await this.speakers.lockAll(tx, transcript.id);
      const speaker = all.find(({ id }) => id === input.speakerId);
      if (!speaker) throw notFound('speakerId', 'The transcript has no speaker with this ID.');
      const namesake = all.find((other) => other.label === label && other.id !== speaker.id);
      const kept = namesake ?? speaker;
      const userId = input.userId ?? kept.userId ?? speaker.userId;
      await this.speakers.update(tx, { id: kept.id, label, userId });
      return namesake ? this.unite(tx, transcript, speaker.id, kept.id) : transcript;
    });
  }

  private async unite(tx: MediaTransaction, { id }: TranscriptRow, from: string, into: string): Promise<TranscriptRow> {
    const segments = await this.speakers.merge(tx, from, into);
    const transcript = await this.records.raiseRevision(tx, id);
    const changes = segments.map((segment) => ({ type: 'segment.changed' as const, segment }));
    await this.events.appendAll(tx, transcriptTopic(id), changes);
    return transcript;
  }

  private async own(tx: MediaTransaction, viewer: Viewer, id: string): Promise<TranscriptRow> {
    const [transcript] = isId('trn', id) ? await this.records.transcriptsByIds([id], viewer.userId, tx) : [];
    if (!transcript) throw notFound('transcriptId', 'You have no transcript with this ID.');
    return transcript;
  }
}

function checkedLabel(text: string): string {
  const label = text.trim().normalize('NFC');
  const length = [...label].length;
  if (length >= 1 && length <= MAX_LABEL_LENGTH && !/[\p{Cc}\p{Cs}\p{Zl}\p{Zp}]/u.test(label)) return label;
  throw new UserProblemError<MediaProblemCode>({
    code: 'INVALID_INPUT',
    message: `label: 1 to ${MAX_LABEL_LENGTH} characters and no control characters; this one has ${length}.`,
    path: ['input', 'label'],
  });
}

function notFound(field: string, message: string): UserProblemError<MediaProblemCode> {
  return new UserProblemError({ code: 'NOT_FOUND', message, path: ['input', field] });
}
