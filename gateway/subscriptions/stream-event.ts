import type { EventMarks } from '../compile/event-marks';
import type { SubgraphAnswer } from '../fetch/transport';
import type { Frame } from '../operations/outlet';
import type { Variant } from './variant';

/** One event of a stream, as all its subscribers share it. */
export interface StreamEvent extends EventMarks {
  /** Counts from 0 in its stream, without holes. */
  readonly index: number;
  /** As the subgraph sent it; never changed. */
  readonly answer: SubgraphAnswer;
  /** Characters of its JSON. */
  readonly size: number;
  /** What its subscribers get, made when the first of them needs it; kept as long as the window has room for it. */
  readonly frames: Map<Variant, Frame | Promise<Frame>>;
  /** Characters of the frames that are kept. */
  madeSize: number;
}

/** The member `extensions` of a payload about an event, as JSON text with the comma before it; empty for nothing to say. */
export function extensionsText({ cursor, isSnapshot, gap }: Omit<EventMarks, 'key'>): string {
  const extensions = {
    ...(cursor === undefined ? {} : { cursor }),
    ...(isSnapshot ? { snapshot: true } : {}),
    ...(gap ? { gap } : {}),
  };
  return Object.keys(extensions).length === 0 ? '' : `,"extensions":${JSON.stringify(extensions)}`;
}
