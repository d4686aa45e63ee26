import { fitInto } from './fit-into';
import { HLS_MAIN, hlsParameters } from './hls';
import type { EncodingPlan } from './encoding-plan';
import { PRESETS } from './presets';

/** Name of the file that ffmpeg makes, in its working directory. */
export function outputName({ preset }: Pick<EncodingPlan, 'preset'>): string {
  return preset === 'HLS' ? HLS_MAIN : `output.${PRESETS[preset].ending}`;
}

/** ffmpeg's arguments behind the inputs. No metadata of a stranger's file reaches the output. */
export function outputParameters(plan: EncodingPlan): string[] {
  const clean = ['-map_metadata', '-1', '-map_chapters', '-1', '-dn'];
  const output = `file:${outputName(plan)}`;
  switch (plan.preset) {
    case 'MP3':
      return [...sound(), ...clean, '-c:a', 'libmp3lame', '-b:a', '128k', '-f', 'mp3', output];
    case 'OPUS':
      return [...sound(), ...clean, '-c:a', 'libopus', '-b:a', '48k', '-f', 'ogg', output];
    case 'WAV_16K':
      return [...sound(), ...clean, '-c:a', 'pcm_s16le', '-ar', '16000', '-ac', '1', '-f', 'wav', output];
    case 'MP4_720P':
      return [...mp4({ width: 1_280, height: 720 }, plan), ...clean, '-f', 'mp4', output];
    case 'MP4_1080P':
      return [...mp4({ width: 1_920, height: 1_080 }, plan), ...clean, '-f', 'mp4', output];
    case 'WEBM':
      return [...webm(plan), ...clean, '-f', 'webm', output];
    case 'HLS':
      return [...hlsParameters(plan), ...clean, ...['-f', 'hls', '%v.m3u8']];
  }
}

function sound(): string[] {
  return ['-map', '0:a:0', '-vn', '-sn'];
}

function mp4(box: { width: number; height: number }, { subtitles }: EncodingPlan): string[] {
  const { language } = subtitles ?? { language: null };
  return [
    ...['-map', '0:V:0', '-map', '0:a:0?', ...(subtitles ? ['-map', '1:s:0'] : [])],
    ...['-vf', fitInto(box), '-c:v', 'libx264', '-preset', 'veryfast', '-crf', '23', '-pix_fmt', 'yuv420p'],
    ...['-c:a', 'aac', '-b:a', '128k', '-ac', '2'],
    ...(subtitles ? ['-c:s', 'mov_text', ...(language ? ['-metadata:s:s:0', `language=${language}`] : [])] : []),
    ...['-movflags', '+faststart'],
  ];
}

function webm({ contents }: EncodingPlan): string[] {
  const opus = ['-c:a', 'libopus', '-b:a', '96k', '-ac', '2'];
  if (!contents.hasPicture) return [...sound(), ...opus];
  return [
    ...['-map', '0:V:0', '-map', '0:a:0?', '-sn', '-vf', fitInto({ width: 1_280, height: 720 }), '-pix_fmt', 'yuv420p'],
    ...['-c:v', 'libvpx-vp9', '-crf', '34', '-b:v', '0', '-deadline', 'realtime', '-cpu-used', '6', '-row-mt', '1'],
    ...opus,
  ];
}
