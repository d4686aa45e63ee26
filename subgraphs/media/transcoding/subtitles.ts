import { DEFAULT_EXPORT_OPTIONS } from '../exports/export-options';
import type { ExportedTranscript, ExportSegment } from '../exports/export-records';
import { exportTranscript } from '../exports/export-transcript';

/** A part of a recording, in milliseconds from its start. */
export interface Clip {
  fromMs: number;
  /** Null: to the end. */
  toMs: number | null;
}

/** The subtitles (WebVTT) of a part of a recording, in that part's own time. */
export function clippedSubtitles(
  transcript: ExportedTranscript,
  segments: readonly ExportSegment[],
  { fromMs, toMs }: Clip,
): string {
  const inside = segments.filter((segment) => segment.endMs > fromMs && (toMs === null || segment.startMs < toMs));
  const moved = <Timed extends { startMs: number; endMs: number }>(timed: Timed): Timed => ({
    ...timed,
    startMs: Math.max(0, timed.startMs - fromMs),
    endMs: Math.min(timed.endMs, toMs ?? Infinity) - fromMs,
  });
  const clipped = inside.map((segment) => ({ ...moved(segment), text: plain(segment.text), words: wordsOf(segment) }));
  return exportTranscript(transcript, clipped, 'VTT', DEFAULT_EXPORT_OPTIONS).text;

  function wordsOf(segment: ExportSegment): ExportSegment['words'] {
    return segment.words
      .map((word) => moved({ ...word, text: plain(word.text) }))
      .map((word) => ({ ...word, startMs: Math.max(0, word.startMs), endMs: Math.max(0, word.endMs) }));
  }
}

/** ISO 639-2 codes of languages that MP4 players name; it has no room for BCP 47 tags. */
const ISO_639_2: Readonly<Record<string, string>> = {
  ...{ af: 'afr', am: 'amh', ar: 'ara', ca: 'cat', de: 'deu', en: 'eng', es: 'spa', fa: 'fas', fr: 'fra', ha: 'hau' },
  ...{ hi: 'hin', ig: 'ibo', it: 'ita', ja: 'jpn', ko: 'kor', nl: 'nld', pl: 'pol', pt: 'por', ru: 'rus', so: 'som' },
  ...{ sw: 'swa', tr: 'tur', uk: 'ukr', xh: 'xho', yo: 'yor', zh: 'zho', zu: 'zul' },
};

/** The ISO 639-2 code of a BCP 47 tag's language; null when it has none here. */
export function mp4Language(tag: string): string | null {
  return ISO_639_2[tag.split('-')[0]!.toLowerCase()] ?? null;
}

/** In ffmpeg's subtitles braces begin commands. */
function plain(text: string): string {
  return text.replaceAll('{', '(').replaceAll('}', ')').replaceAll('\\', '/');
}
