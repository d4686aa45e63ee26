import { UserProblemError } from '../../../platform/errors';
import { planAgain } from '../recognition';
import type { TranscriptRow } from '../records';
import type { Transcribers } from '../transcribers';
import { storedPlan } from '../transcription/recognition-plan';
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
    const asked = storedPlan(transcript.options);
    const plan = asked && (await planAgain(this.transcribers, asked, []));
    if (!plan || plan instanceof UserProblemError) return null;
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
