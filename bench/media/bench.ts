import type { Figure } from '../figure';
import type { Options } from './options';

export interface Bench {
  options: Options;
  /** A folder for everything that is written; removed at the end. */
  folder: string;
  tell: (line: string) => void;
}

/** Measures one thing; what it starts it stops. */
export type Measurement = (bench: Bench) => Promise<Figure[]>;
