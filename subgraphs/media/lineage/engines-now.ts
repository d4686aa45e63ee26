import { UserProblemError } from '../../../platform/errors';
import { probeFfmpeg } from '../decoder/ffmpeg';
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
    return this.named(plan.engine);
  }

  /** This engine, as it is here now; null when it is not here or cannot work. */
  async named(id: string): Promise<TranslatingEngine | null> {
    const found = (await this.transcribers.list()).find(({ info }) => info.id === id);
    return found?.probe.available ? { engine: id, engineVersion: found.info.version ?? '' } : null;
  }

  async translating(pair: LanguagePair): Promise<TranslatingEngine | null> {
    try {
      return (await this.translator.engineFor(pair)) ?? NO_ENGINE;
    } catch (error) {
      if (error instanceof UserProblemError) return null;
      throw error;
    }
  }

  async converting(): Promise<TranslatingEngine | null> {
    const probe = await probeFfmpeg();
    return probe.available ? { engine: 'ffmpeg', engineVersion: probe.version } : null;
  }
}
