import type { ExportOptions } from './export-options';
import type { ExportedTranscript, ExportSegment } from './export-records';
import { shownTexts } from './shown-texts';

/** Everything known of each segment. A translation takes the place of text and words, or with `bilingual` stands beside. */
export function toJson(
  { id, language, engine, confidence, durationMs }: ExportedTranscript,
  segments: readonly ExportSegment[],
  options: ExportOptions,
): string {
  const content = segments.map((segment) => {
    const shown = shownTexts(segment, options);
    return {
      id: segment.id,
      startMs: segment.startMs,
      endMs: segment.endMs,
      text: shown.text,
      ...(options.bilingual ? { translation: shown.translation } : {}),
      confidence: segment.confidence,
      language: shown.language,
      channel: segment.channel,
      speaker: segment.speakerLabel,
      state: segment.state,
      words: shown.text === segment.text ? segment.words : [],
    };
  });
  const translation = options.translation === null ? {} : { translation: options.translation };
  const whole = { id, language, ...translation, engine, confidence, durationMs, segments: content };
  return `${JSON.stringify(whole, null, 2)}\n`;
}
