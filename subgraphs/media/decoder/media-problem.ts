/** What is wrong with a media file, for callers that decide by it. */
export type MediaProblemReason =
  | 'EMPTY_FILE'
  | 'NOT_MEDIA'
  | 'CONTAINER_NOT_ALLOWED'
  | 'UNKNOWN_CODEC'
  | 'NO_AUDIO'
  | 'NO_SAMPLES'
  | 'CUT_OFF'
  | 'TOO_LONG'
  | 'PICTURE_TOO_LARGE'
  | 'TOO_MANY_STREAMS';

/** The public error code of each reason. */
const CODES = {
  EMPTY_FILE: 'INVALID_INPUT',
  NOT_MEDIA: 'TYPE_NOT_ALLOWED',
  CONTAINER_NOT_ALLOWED: 'TYPE_NOT_ALLOWED',
  UNKNOWN_CODEC: 'UNSUPPORTED',
  NO_AUDIO: 'INVALID_INPUT',
  NO_SAMPLES: 'INVALID_INPUT',
  CUT_OFF: 'INVALID_INPUT',
  TOO_LONG: 'INVALID_INPUT',
  PICTURE_TOO_LARGE: 'INVALID_INPUT',
  TOO_MANY_STREAMS: 'INVALID_INPUT',
} as const satisfies Record<MediaProblemReason, string>;

export type MediaProblemCode = (typeof CODES)[MediaProblemReason];

/** The file itself cannot be used, now or later. The message is for the person who uploaded it and says what to do. */
export class MediaProblem extends Error {
  readonly code: MediaProblemCode;
  constructor(
    readonly reason: MediaProblemReason,
    message: string,
    options?: { cause?: unknown },
  ) {
    super(message, options);
    this.name = 'MediaProblem';
    this.code = CODES[reason];
  }
}

/** ffmpeg or ffprobe did not finish for a reason that is not the file's: killed, out of time. Another attempt may succeed. */
export class DecoderFailedError extends Error {
  readonly code = 'DECODER_FAILED';
  readonly retryable = true;
  constructor(message: string, options?: { cause?: unknown }) {
    super(message, options);
    this.name = 'DecoderFailedError';
  }
}
