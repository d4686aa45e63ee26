import type { Golden } from '../media/recordings';

/** What is spoken: the golden recording, and its samples. */
export interface Speech extends Golden {
  samples: Buffer;
}

export interface LiveBench {
  speech: Speech;
  /** A folder for everything that is written; removed at the end. */
  folder: string;
  tell: (line: string) => void;
}
