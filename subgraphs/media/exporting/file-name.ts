import type { TranscriptFormat } from '../exports/export-transcript';

/** Leaves room for language and ending within the 255 bytes that most file systems allow. */
const MAX_STEM_BYTES = 200;
/** Not allowed in file names somewhere, or with a meaning to shells and archives; control and direction characters too. */
const UNFIT = /[\\/:*?"<>|\p{Cc}\p{Cf}\p{Zl}\p{Zp}\p{Cs}]+/gu;

/** The name of a rendered transcript, e.g. `My talk.es.srt`: the recording's title, what it is in, and the format's ending. */
export function exportFileName(title: string, format: TranscriptFormat, translation: string | null): string {
  const stem = fileStem(title, 'transcript');
  return [stem, ...(translation === null ? [] : [translation]), format.toLowerCase()].join('.');
}

/** A title as the first part of a file's name, wherever it is stored; `otherwise` when nothing of it is left. */
export function fileStem(title: string, otherwise: string): string {
  const fit = title.normalize('NFC').replace(UNFIT, ' ').replace(/\s+/g, ' ');
  return cut(fit).replace(/^[.\s]+|[.\s]+$/g, '') || otherwise;
}

function cut(text: string): string {
  let stem = text;
  while (Buffer.byteLength(stem) > MAX_STEM_BYTES) stem = [...stem].slice(0, -1).join('');
  return stem;
}
