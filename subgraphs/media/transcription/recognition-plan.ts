import { z } from 'zod';

export const REDACTION_KINDS = ['EMAIL', 'PHONE', 'CARD', 'NUMBER'] as const;
export type RedactionKind = (typeof REDACTION_KINDS)[number];

const wishes = z.object({
  /** BCP 47 tag of what is spoken; null: the engine detects it, or assumes its own. */
  language: z.string().nullable(),
  /** What may be spoken when that is detected; none: anything. */
  languages: z.array(z.string()),
  /** Tell speakers apart, at most `max` of them; null: do not. */
  speakers: z.object({ max: z.number().nullable() }).nullable(),
  keyterms: z.array(z.string()),
  /** In JSGF. */
  grammar: z.string().nullable(),
  perChannel: z.boolean(),
  maskProfanity: z.boolean(),
  redact: z.array(z.enum(REDACTION_KINDS)),
  normalize: z.boolean(),
});

/** How speech is to be recognized, checked and with every default filled in. Equal wishes are equal JSON. */
export type RecognitionWishes = z.infer<typeof wishes>;

const plan = wishes.extend({
  /** Id of the engine that was the best choice when the transcript was asked for. */
  engine: z.string(),
  /** Whether only that engine will do. */
  pinned: z.boolean(),
});

/** How a transcript is made; kept in its row and in its job. */
export type RecognitionPlan = z.infer<typeof plan>;

/** Turns a stored plan back into its type; throws when it is none. */
export function parsePlan(value: unknown): RecognitionPlan {
  return plan.parse(value);
}

/** The plan that a transcript was begun with; null for one that is older than plans. */
export function storedPlan(options: unknown): RecognitionPlan | null {
  return plan.safeParse(options).data ?? null;
}

/** What of a plan decides the result, for its lineage: the engine stands there by itself. */
export function settingsOf({ engine: _engine, pinned: _pinned, ...settings }: RecognitionPlan): RecognitionWishes {
  return settings;
}
