import { z } from 'zod';
import type { Sound } from './decoder-process';

const SOUND = z.object({ mean: z.array(z.number()).length(13), frames: z.int().min(0) });

/** The sound an earlier decoder has left; null when there is none, or when it is of another version of this program. */
export function readSound(state: unknown): Sound | null {
  const read = SOUND.safeParse(state);
  return read.success ? read.data : null;
}
