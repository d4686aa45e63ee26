import { milliseconds, type ProbeOutput, type ProbeStream } from '../decoder/probe-output';
import { cleanText } from './clean-text';

/** What is in a file, as `Media.probe` shows it. */
export interface ProbeSummary {
  /** ffmpeg's name of the format; several where it does not tell them apart, e.g. `mov,mp4,m4a,3gp,3g2,mj2`. */
  container: string | null;
  /** Bits a second, over all. */
  bitRate: number | null;
  tags: Record<string, string>;
  streams: StreamSummary[];
}

export interface StreamSummary {
  /** `audio`, `video`, `picture` (e.g. an album's cover), `subtitle`, `data` or `attachment`. */
  type: string | null;
  codec: string | null;
  bitRate: number | null;
  channels: number | null;
  sampleRate: number | null;
  width: number | null;
  height: number | null;
  /** Pictures a second. */
  frameRate: number | null;
}

const MAX_TAGS = 50;
const MAX_TAG_NAME_LENGTH = 64;
const MAX_TAG_LENGTH = 500;
const MAX_NAME_LENGTH = 64;

/** What ffprobe says, without what is of no use, and with texts that can do no harm. */
export function describeProbe({ format, streams = [] }: ProbeOutput): ProbeSummary {
  return {
    container: cleanText(format?.format_name, MAX_NAME_LENGTH),
    bitRate: positive(format?.bit_rate),
    tags: cleanTags(format?.tags ?? {}),
    streams: streams.map(describeStream),
  };
}

/** How long a file plays, in milliseconds; the longest of its streams where the container does not tell. */
export function durationOf({ format, streams = [] }: ProbeOutput): number | null {
  const whole = milliseconds(format?.duration);
  if (whole !== null && whole > 0) return whole;
  return Math.max(0, ...streams.map((stream) => milliseconds(stream.duration) ?? 0)) || null;
}

/** A tag whatever the case of its name, e.g. `artist` of Matroska's `ARTIST`. */
export function tagOf({ tags }: ProbeSummary, name: string): string | null {
  return Object.entries(tags).find(([key]) => key.toLowerCase() === name)?.[1] ?? null;
}

function describeStream(stream: ProbeStream): StreamSummary {
  const isPicture = stream.codec_type === 'video' && stream.disposition?.attached_pic === 1;
  return {
    type: isPicture ? 'picture' : cleanText(stream.codec_type, MAX_NAME_LENGTH),
    codec: cleanText(stream.codec_name, MAX_NAME_LENGTH),
    bitRate: positive(stream.bit_rate),
    channels: positive(stream.channels),
    sampleRate: positive(stream.sample_rate),
    width: positive(stream.width),
    height: positive(stream.height),
    frameRate: isPicture ? null : rate(stream.avg_frame_rate),
  };
}

function cleanTags(tags: Record<string, string>): Record<string, string> {
  const clean = Object.entries(tags)
    .slice(0, MAX_TAGS)
    .map(([name, value]) => [cleanText(name, MAX_TAG_NAME_LENGTH), cleanText(value, MAX_TAG_LENGTH)] as const);
  return Object.fromEntries(clean.filter((tag): tag is [string, string] => tag[0] !== null && tag[1] !== null));
}

/** A fraction such as `30000/1001`, to two digits. */
function rate(fraction: string | undefined): number | null {
  const [count, seconds] = (fraction ?? '').split('/').map(Number);
  return count && seconds ? positive(Math.round((count / seconds) * 100) / 100) : null;
}

function positive(value: string | number | undefined): number | null {
  const number = Number(value);
  return Number.isFinite(number) && number > 0 ? number : null;
}
