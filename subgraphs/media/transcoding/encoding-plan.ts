import type { Contents, TranscodePreset } from './presets';

/** What is to be encoded, once the recording has been inspected. */
export interface EncodingPlan {
  preset: TranscodePreset;
  contents: Contents;
  /** Height of the film as it is shown; null without one. */
  heightPx: number | null;
  /** ISO 639-2 code of the subtitles, which are then the second input; null without subtitles or for an unknown one. */
  subtitles: { language: string | null } | null;
}
