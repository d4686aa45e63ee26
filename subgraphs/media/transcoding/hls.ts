import type { EncodingPlan } from './encoding-plan';
import { fitInto } from './fit-into';

/** Name of the main playlist. */
export const HLS_MAIN = 'main.m3u8';
export const HLS_SUBTITLES = 'subtitles.m3u8';
export const HLS_SUBTITLES_TEXT = 'subtitles.vtt';
const SEGMENT_SECONDS = 4;

interface Variant {
  name: string;
  width: number;
  height: number;
  /** Bits a second at most. */
  maxBitRate: number;
}

/** Sizes and rates as in Apple's HLS authoring specification for H.264. */
const VARIANTS: readonly Variant[] = [
  { name: '360p', width: 640, height: 360, maxBitRate: 800_000 },
  { name: '540p', width: 960, height: 540, maxBitRate: 2_000_000 },
  { name: '720p', width: 1_280, height: 720, maxBitRate: 3_500_000 },
];

/** The sizes that are made of a film; the smallest one always. */
export function hlsVariants(heightPx: number): readonly Variant[] {
  return VARIANTS.filter(({ height }, index) => index === 0 || height <= heightPx);
}

/**
 * ffmpeg's arguments for adaptive streaming: each size is one playlist and one file of fragmented MP4, read in byte
 * ranges, with a key picture every 4 s so that players can change between them.
 */
export function hlsParameters({ heightPx, contents: { hasSound } }: EncodingPlan): string[] {
  const variants = hlsVariants(heightPx ?? 0);
  const split = `[0:V:0]split=${variants.length}${variants.map((_, index) => `[in${index}]`).join('')}`;
  const scales = variants.map((variant, index) => `[in${index}]${fitInto(variant)}[out${index}]`);
  const streams = variants.map(({ name }, index) => `v:${index}${hasSound ? `,a:${index}` : ''},name:${name}`);
  return [
    ...['-filter_complex', [split, ...scales].join(';'), '-sn'],
    ...variants.flatMap((_, index) => ['-map', `[out${index}]`]),
    ...(hasSound ? variants.flatMap(() => ['-map', '0:a:0']) : []),
    ...['-c:v', 'libx264', '-preset', 'veryfast', '-crf', '23', '-pix_fmt', 'yuv420p', '-sc_threshold', '0'],
    ...['-force_key_frames', `expr:gte(t,n_forced*${SEGMENT_SECONDS})`],
    ...variants.flatMap(({ maxBitRate }, index) => [
      ...[`-maxrate:v:${index}`, String(maxBitRate), `-bufsize:v:${index}`, String(maxBitRate * 2)],
    ]),
    ...['-c:a', 'aac', '-b:a', '96k', '-ac', '2'],
    ...['-hls_time', String(SEGMENT_SECONDS), '-hls_playlist_type', 'vod', '-hls_segment_type', 'fmp4'],
    ...['-hls_flags', 'single_file', '-hls_segment_filename', '%v.mp4', '-master_pl_name', HLS_MAIN],
    ...['-var_stream_map', streams.join(' ')],
  ];
}

/** The main playlist with a track of subtitles (RFC 8216 §4.3.4.1) that every size refers to. */
export function withSubtitles(main: string, language: string): string {
  const track = [
    'TYPE=SUBTITLES,GROUP-ID="subtitles",DEFAULT=YES,AUTOSELECT=YES,FORCED=NO',
    `NAME="${language}",LANGUAGE="${language}",URI="${HLS_SUBTITLES}"`,
  ].join(',');
  const lines = main.replace(/^(#EXT-X-STREAM-INF:.*)$/gm, '$1,SUBTITLES="subtitles"');
  return lines.replace(/^(#EXT-X-VERSION:.*\n)/m, `$1#EXT-X-MEDIA:${track}\n`);
}

/** The playlist of the subtitles: one segment, as long as the film. */
export function subtitlesPlaylist(durationMs: number): string {
  const seconds = Math.max(durationMs, 1) / 1_000;
  return [
    '#EXTM3U',
    '#EXT-X-VERSION:7',
    `#EXT-X-TARGETDURATION:${Math.ceil(seconds)}`,
    '#EXT-X-MEDIA-SEQUENCE:0',
    '#EXT-X-PLAYLIST-TYPE:VOD',
    `#EXTINF:${seconds.toFixed(3)},`,
    HLS_SUBTITLES_TEXT,
    '#EXT-X-ENDLIST',
    '',
  ].join('\n');
}
