import { z } from 'zod';
import { TranscriberFailedError } from '../transcriber';
import { seconds, word } from './deepgram-answer';
import { nonsense } from './remote-answer';

/** More words than anybody says before they are final, which takes the service 3 to 5 s. */
const MAX_WORDS = 2_000;

const spoken = word.extend({ language: z.string().nullish() });
const alternative = z.object({ words: z.array(spoken).max(MAX_WORDS), languages: z.array(z.string()).nullish() });
const result = z.object({
  type: z.literal('Results'),
  start: seconds,
  duration: seconds,
  is_final: z.boolean(),
  from_finalize: z.boolean().nullish(),
  channel: z.object({ alternatives: z.array(alternative) }),
});

export type LiveWord = z.infer<typeof spoken>;

/** What was heard of a stretch of the stream, which may be said anew until it is final. */
export interface LiveResult {
  /** Where the stretch ends, in milliseconds of the stream. */
  endMs: number;
  isFinal: boolean;
  /** Whether it answers a `Finalize`. */
  isFinalized: boolean;
  words: LiveWord[];
  /** The languages of the stretch, as the service writes them, the most spoken first. */
  languages: readonly string[];
}

/**
 * Reads a message of `wss://…/v1/listen`; null for those that say nothing of words (Metadata, SpeechStarted, UtteranceEnd).
 * Throws TranscriberFailedError for an error that the service tells, and for what is no such message.
 */
export function readDeepgramResult(service: { name: string }, message: unknown): LiveResult | null {
  const type = (message as { type?: unknown } | null)?.type;
  if (type === 'Error') throw new TranscriberFailedError(`${service.name} told an error in mid-stream.`);
  if (typeof type === 'string' && type !== 'Results') return null;
  const parsed = result.safeParse(message);
  if (!parsed.success) throw nonsense(service, 'JSON that is no result');
  const { start, duration, is_final: isFinal, from_finalize: isFinalized, channel } = parsed.data;
  const { words = [], languages } = channel.alternatives[0] ?? {};
  return {
    endMs: (start + duration) * 1_000,
    isFinal,
    isFinalized: isFinalized === true,
    words,
    languages: languages ?? [],
  };
}
