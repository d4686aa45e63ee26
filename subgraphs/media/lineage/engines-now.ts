import { UserProblemError } from '../../../platform/errors';
import { planRecognition, type RecognitionOptions } from '../recognition';
import type { TranscriptRow } from '../records';
import type { Transcribers } from '../transcribers';
import type { LanguagePair, TextTranslator, TranslatingEngine } from '../translating/text-translator';
import { NO_ENGINE } from './origins';

/** Which engine, in which version, a request gets here and now; null when none could serve it. */
export class EnginesNow {
  constructor(
    private readonly transcribers: Transcribers,
    private readonly translator: TextTranslator,
  ) {}

  /** For the request that a transcript was made for. */
  async recognizing(transcript: TranscriptRow): Promise<TranslatingEngine | null> {
    const plan = await planRecognition(this.transcribers, requestOf(transcript), []);
    if (plan instanceof UserProblemError) return null;
    const engines = await this.transcribers.list();
    const version = engines.find(({ info }) => info.id === plan.engine)?.info.version;
    return { engine: plan.engine, engineVersion: version ?? '' };
  }

  async translating(pair: LanguagePair): Promise<TranslatingEngine | null> {
    try {
      return (await this.translator.engineFor(pair)) ?? NO_ENGINE;
    } catch (error) {
      if (error instanceof UserProblemError) return null;
      throw error;
    }
  }
}

/** What was asked for when a transcript was begun: the engine belongs to it only when it was pinned. */
export function requestOf({ language, options }: TranscriptRow): RecognitionOptions {
  const { engine, pinned, ...wishes } = options as { engine?: string; pinned?: boolean };
  return { language, ...wishes, ...(pinned && engine !== undefined ? { engine } : {}) };
}
