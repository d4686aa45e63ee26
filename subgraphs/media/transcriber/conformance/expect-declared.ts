import type { Span } from '../timed-words';
import type { RecognizedSegment, TranscribeOptions, TranscriberInfo, Word } from '../transcriber';

/** Expects of every segment what the port promises, and what the engine declares: no more and no less. */
export function expectDeclared(
  info: TranscriberInfo,
  segments: readonly RecognizedSegment[],
  audio: Span,
  { speakers }: Partial<TranscribeOptions>,
): void {
  expect(segments.map(({ index }) => index)).toEqual(segments.map((_, index) => index));
  let earliestMs = audio.startMs;
  for (const segment of segments) {
    expect(segment.startMs).toBeGreaterThanOrEqual(earliestMs);
    expect(segment.endMs).toBeLessThanOrEqual(audio.endMs);
    earliestMs = segment.startMs;
    expect(segment.language).toMatch(/^[a-z]{2,3}(-[A-Za-z0-9]+)*$/);
    expectWords(info, segment);
    expectConfidence(info, segment);
    if (!speakers) expect([segment, ...segment.words].every(({ speaker }) => speaker === undefined)).toBe(true);
  }
  if (speakers) expectSpeakers(segments, speakers.max ?? Infinity);
}

function expectWords(info: TranscriberInfo, { text, words, startMs, endMs }: RecognizedSegment): void {
  expect(words.length).toBeGreaterThan(0);
  expect(words.map((word) => word.text).join(' ')).toBe(text);
  expect(words.every((word) => word.text !== '' && !/\s/u.test(word.text))).toBe(true);
  let earliestMs = startMs;
  for (const word of words) {
    expect(Number.isInteger(word.startMs) && Number.isInteger(word.endMs)).toBe(true);
    expect(word.startMs).toBeGreaterThanOrEqual(earliestMs);
    expect(word.endMs).toBeGreaterThanOrEqual(word.startMs);
    earliestMs = word.endMs;
  }
  expect(earliestMs).toBeLessThanOrEqual(endMs);
  // Times that were told belong to sounds: a word of several letters takes time.
  if (info.wordTimes) expect(words.some(takesTime)).toBe(true);
}

function takesTime({ startMs, endMs }: Word): boolean {
  return endMs > startMs;
}

function expectConfidence(info: TranscriberInfo, segment: RecognizedSegment): void {
  if (!info.confidence) return expect([segment, ...segment.words].every((told) => told.confidence === null)).toBe(true);
  expect(segment.confidence).not.toBeNull();
  for (const { confidence } of [segment, ...segment.words]) {
    if (confidence === null) continue;
    expect(confidence).toBeGreaterThanOrEqual(0);
    expect(confidence).toBeLessThanOrEqual(1);
  }
}

function expectSpeakers(segments: readonly RecognizedSegment[], max: number): void {
  const names = new Set(segments.flatMap(({ speaker }) => speaker ?? []));
  expect(names.size).toBeGreaterThan(0);
  expect(names.size).toBeLessThanOrEqual(max);
  for (const name of names) expect(name).toMatch(/^S\d+$/);
}
