/** Kinds of jobs on recordings, as in the graph's JobKind enum. */
export const MEDIA_JOB_KINDS = [
  'TRANSCRIBE',
  'TRANSLATE_TRANSCRIPT',
  'EXPORT_TRANSCRIPT',
  'TRANSCODE',
  'REFINE_TRANSCRIPT',
] as const;
export type MediaJobKind = (typeof MEDIA_JOB_KINDS)[number];

/** Whether a kind of job is one on recordings; others are about whole accounts. */
export function isMediaJobKind(kind: string): kind is MediaJobKind {
  return (MEDIA_JOB_KINDS as readonly string[]).includes(kind);
}
