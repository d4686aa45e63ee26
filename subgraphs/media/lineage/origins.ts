import type { WantedFile } from '../asking/files';
import type { TranscriptRow } from '../records';
import { settingsOf, storedPlan } from '../transcription/recognition-plan';
import type { WantedRendition } from '../transcoding/transcodings';
import type { TranslatingEngine } from '../translating/text-translator';
import type { Origin } from './lineage';
import type { LineageRow } from './lineage-records';

/** What renders transcripts, and its version: to be raised when the same transcript is rendered in another way. */
const RENDERER = { engine: 'sauti', engineVersion: '1' };
/** Stands for an engine where the languages are the same. */
export const NO_ENGINE: TranslatingEngine = { engine: 'none', engineVersion: '' };

type Source = Pick<TranscriptRow, 'id' | 'revision'>;

/**
 * The newest result of each request: the same kind, inputs and settings, whatever the versions of text and engine. Older
 * ones have been replaced by it. Lines come newest first.
 */
export function newestOfEach(lines: readonly LineageRow[]): LineageRow[] {
  const newest = new Map<string, LineageRow>();
  for (const line of lines) {
    const { revision, translatedFrom, ...asked } = line.settings as Record<string, unknown>;
    const request = JSON.stringify([line.kind, line.inputIds, asked]); // PostgreSQL keeps the fields of jsonb in one order
    if (!newest.has(request)) newest.set(request, line);
  }
  return [...newest.values()];
}

/** What a rendered file was asked to be, from its lineage. */
export function fileSettingsOf({ settings }: Pick<LineageRow, 'settings'>): WantedFile {
  const { format, options } = settings as unknown as WantedFile; // only exportOrigin writes them
  return { format, options };
}

/** What a rendition was asked to be, from its lineage. */
export function renditionSettingsOf({
  settings,
  inputIds,
}: Pick<LineageRow, 'settings' | 'inputIds'>): WantedRendition {
  const { preset, clipFromMs, clipToMs } = settings as unknown as WantedRendition; // only renditionOrigin writes them
  return { preset, clipFromMs, clipToMs, subtitlesFrom: inputIds[1] ?? null };
}

/** Where a rendition comes from: the file and, with subtitles, the transcript at that revision. */
export function renditionOrigin(
  fileId: string,
  subtitles: Source | null,
  converter: TranslatingEngine,
  { preset, clipFromMs, clipToMs }: Omit<WantedRendition, 'subtitlesFrom'>,
): Origin {
  return {
    inputIds: subtitles ? [fileId, subtitles.id] : [fileId],
    ...converter,
    settings: { preset, clipFromMs, clipToMs, ...(subtitles ? { revision: subtitles.revision } : {}) },
  };
}

/**
 * Where a live transcript comes from: the recording of the session (which was made of the same sound), the engine that
 * listened, and how it was asked to.
 */
export function liveOrigin(fileId: string, engine: TranslatingEngine, options: unknown): Origin {
  const plan = storedPlan(options);
  return { inputIds: [fileId], ...engine, settings: { ...(plan ? settingsOf(plan) : {}), live: true } };
}

/** Whether a transcript was heard while people spoke, and not again since. */
export function isLive({ settings }: Pick<LineageRow, 'settings'>): boolean {
  return (settings as { live?: boolean }).live === true;
}

/** Where a translation of a transcript comes from: its text at that revision. */
export function translationOrigin(transcript: Source, language: string, engine: TranslatingEngine | null): Origin {
  return {
    inputIds: [transcript.id],
    ...(engine ?? NO_ENGINE),
    settings: { language, revision: transcript.revision },
  };
}

/** Where a rendered file comes from: the transcript at that revision, and the translation with the origin it had. */
export function exportOrigin(
  transcript: Source,
  translation: { id: string; settingsHash: string | null } | null,
  wanted: WantedFile,
): Origin {
  const translatedFrom = translation ? { translatedFrom: translation.settingsHash } : {};
  return {
    inputIds: translation ? [transcript.id, translation.id] : [transcript.id],
    ...RENDERER,
    settings: {
      format: wanted.format,
      options: { ...wanted.options },
      revision: transcript.revision,
      ...translatedFrom,
    },
  };
}
