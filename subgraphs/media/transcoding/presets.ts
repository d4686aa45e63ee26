import type { TranscodePreset } from '../../../platform/database/prisma-client/client';

export type { TranscodePreset };

/** What a preset makes, and of what. */
export interface PresetInfo {
  /** For people. */
  name: string;
  mimeType: string;
  /** Of the file's name. */
  ending: string;
  /** What the recording must have. */
  needs: 'sound' | 'picture' | 'either';
  takesSubtitles: boolean;
}

export const PRESETS: Readonly<Record<TranscodePreset, PresetInfo>> = {
  MP3: { name: 'MP3', mimeType: 'audio/mpeg', ending: 'mp3', needs: 'sound', takesSubtitles: false },
  OPUS: { name: 'Opus', mimeType: 'audio/ogg', ending: 'opus', needs: 'sound', takesSubtitles: false },
  WAV_16K: { name: 'WAV 16 kHz', mimeType: 'audio/wav', ending: 'wav', needs: 'sound', takesSubtitles: false },
  MP4_720P: { name: 'MP4 720p', mimeType: 'video/mp4', ending: 'mp4', needs: 'picture', takesSubtitles: true },
  MP4_1080P: { name: 'MP4 1080p', mimeType: 'video/mp4', ending: 'mp4', needs: 'picture', takesSubtitles: true },
  WEBM: { name: 'WebM', mimeType: 'video/webm', ending: 'webm', needs: 'either', takesSubtitles: false },
  HLS: {
    name: 'HLS',
    mimeType: 'application/vnd.apple.mpegurl',
    ending: 'm3u8',
    needs: 'picture',
    takesSubtitles: true,
  },
};

/** What a recording has that a preset may need. */
export interface Contents {
  hasSound: boolean;
  hasPicture: boolean;
}

/** Why a preset cannot be made of a recording, in a sentence; null when it can. */
export function missingFor(preset: TranscodePreset, { hasSound, hasPicture }: Contents): string | null {
  const { name, needs } = PRESETS[preset];
  if (needs === 'picture' && !hasPicture)
    return `${name} needs a film; this recording has only sound. Choose MP3 or OPUS.`;
  if (needs === 'sound' && !hasSound) return `${name} needs sound; this recording has no sound track.`;
  if (!hasSound && !hasPicture) return `${name} needs sound or a film; this recording has neither.`;
  return null;
}
