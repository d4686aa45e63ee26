import { SautiError, UserProblemError } from '../../platform/errors';
import type { MediaProblemCode } from './errors';
import type { LibraryFilter, MediaKind } from './records';

const MAX_TITLE_LENGTH = 200;
const MAX_CREDIT_LENGTH = 200;
const MAX_DESCRIPTION_LENGTH = 5_000;
const MAX_TAG_LENGTH = 50;
const MAX_TAGS = 20;
const MAX_SEARCH_LENGTH = 200;

/** What a recording may be, by the type told from its bytes (names as `file-type` gives them). */
const KINDS: Readonly<Record<string, MediaKind>> = {
  'audio/mpeg': 'AUDIO',
  'audio/wav': 'AUDIO',
  'audio/x-m4a': 'AUDIO',
  'audio/mp4': 'AUDIO',
  'audio/aac': 'AUDIO',
  'audio/flac': 'AUDIO',
  'audio/ogg': 'AUDIO',
  'application/ogg': 'AUDIO',
  'audio/aiff': 'AUDIO',
  'audio/amr': 'AUDIO',
  'audio/basic': 'AUDIO',
  'audio/vnd.dolby.dd-raw': 'AUDIO',
  'audio/wavpack': 'AUDIO',
  'audio/x-caf': 'AUDIO',
  'audio/x-ms-asf': 'AUDIO',
  'video/ogg': 'VIDEO',
  'video/mp4': 'VIDEO',
  'video/x-m4v': 'VIDEO',
  'video/quicktime': 'VIDEO',
  'video/webm': 'VIDEO',
  'video/matroska': 'VIDEO',
  'video/3gpp': 'VIDEO',
  'video/3gpp2': 'VIDEO',
  'video/mp2t': 'VIDEO',
  'video/MP1S': 'VIDEO',
  'video/MP2P': 'VIDEO',
  'video/mpeg': 'VIDEO',
  'video/vnd.avi': 'VIDEO',
  'video/x-flv': 'VIDEO',
  'video/x-ms-asf': 'VIDEO',
  'application/vnd.ms-asf': 'VIDEO',
};

/** The best known of these, for people: the one list that every refusal names. */
export const ACCEPTED_TYPES =
  'MP3, WAV, M4A, AAC, FLAC, Ogg, Opus, AIFF, MP4, QuickTime, WebM, Matroska, 3GP, AVI, MPEG or WMV';

/** The kind of a file with this sniffed type; TYPE_NOT_ALLOWED when it is no recording. */
export function kindOf(mimeType: string, path: string[]): MediaKind {
  const kind = KINDS[mimeType];
  if (kind) return kind;
  const message = `The bytes are of the type ${mimeType}, whatever the name says. A recording is e.g. ${ACCEPTED_TYPES}.`;
  throw new UserProblemError<MediaProblemCode>({ code: 'TYPE_NOT_ALLOWED', message, path });
}

export interface MediaTexts {
  title: string | null;
  description: string | null;
  artist: string | null;
  album: string | null;
  tags: string[];
}

/** Checks what a client writes about a recording, and brings it into the form that is stored. */
export function checkedTexts(input: {
  title?: string | null | undefined;
  description?: string | null | undefined;
  artist?: string | null | undefined;
  album?: string | null | undefined;
  tags?: readonly string[] | null | undefined;
}): MediaTexts {
  const tags = [...new Set((input.tags ?? []).map((tag) => checkedLine(tag, 'tags', MAX_TAG_LENGTH)))];
  if (tags.length > MAX_TAGS) throw invalid(`At most ${MAX_TAGS} tags are kept; these are ${tags.length}.`, 'tags');
  return {
    title: input.title == null ? null : checkedLine(input.title, 'title', MAX_TITLE_LENGTH),
    description: input.description == null ? null : checkedText(input.description),
    artist: input.artist == null ? null : checkedLine(input.artist, 'artist', MAX_CREDIT_LENGTH),
    album: input.album == null ? null : checkedLine(input.album, 'album', MAX_CREDIT_LENGTH),
    tags,
  };
}

/** Throws BAD_USER_INPUT for a text that cannot be searched for. */
export function checkedFilter(filter: LibraryFilter): LibraryFilter {
  const search = filter.search?.trim().normalize('NFC') ?? '';
  // PostgreSQL takes no NUL, and no stored text holds one.
  if ([...search].length <= MAX_SEARCH_LENGTH && !search.includes('\0')) return { ...filter, search };
  const message = `"search" has at most ${MAX_SEARCH_LENGTH} characters and no NUL; this one has ${[...search].length}.`;
  throw new SautiError('BAD_USER_INPUT', message);
}

/** A file's name without its ending, cut to the length of a title. */
export function titleFromName(name: string): string {
  const stem = name.replace(/(?<=.)\.[^.\s]{1,10}$/u, '').trim() || name;
  return [...stem].slice(0, MAX_TITLE_LENGTH).join('');
}

function checkedLine(text: string, field: string, maxLength: number): string {
  const line = text.trim().normalize('NFC');
  const length = [...line].length;
  if (length < 1 || length > maxLength || /[\p{Cc}\p{Cs}]/u.test(line)) {
    throw invalid(`${field}: 1 to ${maxLength} characters and no control characters; this one has ${length}.`, field);
  }
  return line;
}

function checkedText(text: string): string | null {
  const description = text.trim().normalize('NFC');
  const length = [...description].length;
  if (length > MAX_DESCRIPTION_LENGTH || /(?![\n\r\t])[\p{Cc}\p{Cs}]/u.test(description)) {
    const message = `description: at most ${MAX_DESCRIPTION_LENGTH} characters and no control characters but line breaks; this one has ${length}.`;
    throw invalid(message, 'description');
  }
  return description || null;
}

function invalid(message: string, field: string): UserProblemError<MediaProblemCode> {
  return new UserProblemError({ code: 'INVALID_INPUT', message, path: ['input', field] });
}
