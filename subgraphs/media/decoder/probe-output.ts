import { ACCEPTED_TYPES } from '../media-input';
import { MediaProblem } from './media-problem';

/** What a media file holds. Durations are milliseconds; null means that the file does not say. */
export interface MediaInspection {
  /** How long it plays; an estimate from the bit rate when {@link AudioTrack.statedDurationMs} is null. */
  durationMs: number | null;
  /** Whether ffmpeg can begin to decode at a place in it without being off by as much as a sample. */
  seeksExactly: boolean;
  /** The first audio track, the one `decodePcm` reads. */
  audio: AudioTrack;
  /** The first moving picture; cover art is not one. */
  video: VideoTrack | null;
}

interface AudioTrack {
  codec: string;
  sampleRateHz: number;
  channels: number;
  /** The length the header states for this track, never an estimate: fewer samples mean a cut-off file. */
  statedDurationMs: number | null;
}

interface VideoTrack {
  codec: string;
  width: number;
  height: number;
}

/** What is used of ffprobe's JSON. Every field may be missing: it describes an outsider's file. */
export interface ProbeOutput {
  format?: ProbeFormat;
  streams?: ProbeStream[];
  packets?: unknown[];
}

export interface ProbeFormat {
  format_name?: string;
  duration?: string;
  bit_rate?: string;
  probe_score?: number;
  tags?: Record<string, string>;
}

export interface ProbeStream {
  codec_type?: string;
  codec_name?: string;
  codec_tag_string?: string;
  bit_rate?: string;
  avg_frame_rate?: string;
  sample_rate?: string;
  channels?: number;
  duration?: string;
  width?: number;
  height?: number;
  disposition?: { attached_pic?: number };
  side_data_list?: { rotation?: number }[];
}

/**
 * By the first of ffprobe's names of the container. Matroska and WebM are not among them: their times are rounded, which
 * moved the sound by up to 1 ms; the others were not measured.
 */
const SEEK_EXACTLY: ReadonlySet<string> = new Set([
  'wav',
  'flac',
  'mp3',
  'ogg',
  'mov',
  'aiff',
  'caf',
  'w64',
  'wv',
  'aac',
]);

/** Turns ffprobe's output into a {@link MediaInspection}. Throws MediaProblem: NOT_MEDIA, NO_AUDIO, UNKNOWN_CODEC, NO_SAMPLES. */
export function parseProbe(
  { format, streams = [], packets = [] }: ProbeOutput,
  { durationIsEstimate }: { durationIsEstimate: boolean },
): MediaInspection {
  const audio = streams.find((stream) => stream.codec_type === 'audio');
  if (!audio) throw new MediaProblem('NO_AUDIO', 'The file has no sound track. Upload a recording with sound.');
  if (audio.codec_name == null || audio.codec_name === 'none' || audio.codec_name === 'unknown')
    throw unknownCodec(audio);
  if (!Number(audio.sample_rate) || !audio.channels) throw notMedia(); // ffprobe believed the name and found no frame
  // ffprobe gives score 1 to a file of which only the name fits; without one packet the name is all there is.
  if (packets.length === 0) throw (format?.probe_score ?? 100) > 1 ? noSamples() : notMedia();

  const statedDurationMs = durationIsEstimate ? null : milliseconds(audio.duration);
  return {
    durationMs: milliseconds(audio.duration) ?? milliseconds(format?.duration),
    seeksExactly: SEEK_EXACTLY.has(format?.format_name?.split(',', 1)[0] ?? ''),
    audio: {
      codec: audio.codec_name,
      sampleRateHz: Number(audio.sample_rate ?? 0),
      channels: audio.channels ?? 0,
      statedDurationMs,
    },
    video: findVideo(streams),
  };
}

/** The problem of a sound track without one sample; also thrown while decoding, where it may first show. */
export function noSamples(): MediaProblem {
  return new MediaProblem('NO_SAMPLES', 'The sound track is empty: it lasts 0 seconds. Upload a recording with sound.');
}

/** The problem of a file that is something else than its name says. */
export function notMedia(): MediaProblem {
  return new MediaProblem(
    'NOT_MEDIA',
    `The file is not an audio or video recording, whatever its name says. Upload e.g. ${ACCEPTED_TYPES}.`,
  );
}

function unknownCodec(audio: ProbeStream): MediaProblem {
  const name = audio.codec_tag_string ?? 'unknown';
  return new MediaProblem(
    'UNKNOWN_CODEC',
    `The sound is encoded in a way that is not known here (${name}). Convert it to WAV, MP3, AAC, FLAC or Opus.`,
  );
}

/** Whether a stream is a film; cover art is not one. */
export function isMovingPicture(stream: ProbeStream): boolean {
  return stream.codec_type === 'video' && stream.disposition?.attached_pic !== 1;
}

function findVideo(streams: readonly ProbeStream[]): VideoTrack | null {
  const video = streams.find(isMovingPicture);
  if (!video) return null;
  return { codec: video.codec_name ?? 'unknown', width: video.width ?? 0, height: video.height ?? 0 };
}

/** ffprobe's seconds as whole milliseconds; null when there are none. */
export function milliseconds(seconds: string | undefined): number | null {
  const value = Number.parseFloat(seconds ?? '');
  return Number.isFinite(value) && value >= 0 ? Math.round(value * 1_000) : null;
}
