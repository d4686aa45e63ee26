import type { UserProblemError } from '../../../platform/errors';
import { inputProblem, type MediaProblemCode } from '../errors';
import { checkedTexts } from '../media-input';
import type { RecognitionOptions } from '../recognition';
import type { LiveEncoding, LiveSessionRow } from './live-session';

/** `StartLiveSessionInput` of the graph. */
export interface StartLiveSessionInput {
  title: string;
  options?: RecognitionOptions | null | undefined;
  record?: boolean | null | undefined;
  refine?: boolean | null | undefined;
  encoding?: string | null | undefined;
  sampleRate?: number | null | undefined;
  endpointingMs?: number | null | undefined;
  idempotencyKey?: string | null | undefined;
}

/** How a session is to be, checked and with every default filled in. */
export type LiveWishes = Pick<
  LiveSessionRow,
  'title' | 'record' | 'refine' | 'encoding' | 'sampleRate' | 'endpointingMs'
>;

const ENCODINGS: Readonly<Record<string, LiveEncoding>> = { pcm_s16le: 'PCM_S16LE', container: 'CONTAINER' };
/** What sound cards, browsers and telephones give. */
const SAMPLE_RATES = [8_000, 11_025, 12_000, 16_000, 22_050, 24_000, 32_000, 44_100, 48_000];
const ENDPOINTING_MS = { min: 100, max: 3_000, usual: 500 };

/**
 * Checks what a session is to be. Throws INVALID_INPUT for what is out of bounds, UNSUPPORTED for options that make sense
 * for recordings only, both with the path of the argument.
 */
export function checkedStart(input: StartLiveSessionInput): LiveWishes {
  refuseOptionsOfRecordings(input.options ?? {});
  const { record, refine } = checkedRecording(input);
  return {
    title: checkedTexts({ title: input.title }).title!,
    record,
    refine,
    encoding: checkedEncoding(input.encoding ?? 'pcm_s16le'),
    sampleRate: checkedSampleRate(input.sampleRate ?? 16_000),
    endpointingMs: checkedEndpointing(input.endpointingMs ?? ENDPOINTING_MS.usual),
  };
}

/** They need the whole recording, or sound of more than one channel; a live decoder is told which one language is spoken. */
function refuseOptionsOfRecordings({ speakers, perChannel, normalize, languages }: RecognitionOptions): void {
  const unsupported = (option: keyof RecognitionOptions): UserProblemError<MediaProblemCode> =>
    inputProblem('UNSUPPORTED', `"${option}" is for recordings only.`, 'options', option);
  if (speakers) throw unsupported('speakers');
  if (perChannel) throw unsupported('perChannel');
  if (normalize) throw unsupported('normalize');
  if (new Set(languages).size <= 1) return;
  const message =
    'A live session is in one language: give "language". Which one is spoken is found out of recordings only.';
  throw inputProblem('UNSUPPORTED', message, 'options', 'languages');
}

function checkedRecording(input: StartLiveSessionInput): Pick<LiveWishes, 'record' | 'refine'> {
  const record = input.record ?? true;
  const refine = input.refine ?? false;
  if (refine && !record) throw inputProblem('INVALID_INPUT', '"refine" needs "record": true.', 'refine');
  return { record, refine };
}

function checkedEncoding(name: string): LiveEncoding {
  const encoding = Object.hasOwn(ENCODINGS, name) ? ENCODINGS[name] : undefined;
  if (encoding) return encoding;
  const known = Object.keys(ENCODINGS).join('" or "');
  throw inputProblem('INVALID_INPUT', `"encoding" is "${known}"; it is ${shown(name)}.`, 'encoding');
}

function checkedSampleRate(rate: number): number {
  if (SAMPLE_RATES.includes(rate)) return rate;
  throw inputProblem(
    'INVALID_INPUT',
    `"sampleRate" is one of ${SAMPLE_RATES.join(', ')}; it is ${rate}.`,
    'sampleRate',
  );
}

function checkedEndpointing(pauseMs: number): number {
  const { min, max } = ENDPOINTING_MS;
  if (pauseMs >= min && pauseMs <= max) return pauseMs;
  throw inputProblem('INVALID_INPUT', `"endpointingMs" is ${min} to ${max}; it is ${pauseMs}.`, 'endpointingMs');
}

/** As much of a client's text as a message can hold. */
function shown(text: string): string {
  return JSON.stringify(text.slice(0, 40));
}
