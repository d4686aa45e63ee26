import type { TranscriptRow } from './records';

/** Of transcripts sorted newest first: the newest complete one, else the newest under way; in `language` if one is given. */
export function bestTranscript(
  transcripts: readonly TranscriptRow[],
  language: string | null | undefined,
): TranscriptRow | null {
  const fitting = transcripts.filter((transcript) => language == null || isIn(transcript.language, language));
  const newest = (state: TranscriptRow['state']) => fitting.find((transcript) => transcript.state === state);
  return newest('COMPLETE') ?? newest('TRANSCRIBING') ?? null;
}

/** Basic filtering of RFC 4647 §3.3.1: a range matches itself and everything more special. */
function isIn(tag: string, range: string): boolean {
  return `${tag.toLowerCase()}-`.startsWith(`${range.toLowerCase()}-`);
}
