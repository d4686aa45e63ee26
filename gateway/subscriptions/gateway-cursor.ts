import { createHash, randomBytes } from 'node:crypto';

/** The cursors of one stream whose subgraph offers none: the gateway counts its events. */
export interface GatewayCursors {
  /** The cursor of the event with this index; -1 stands for the beginning. */
  encode(index: number): string;
  /**
   * The index a cursor stands for; `unknown` for one of another run of the same stream (the gateway was restarted, or the
   * stream closed in between); null when it is no cursor of this subscription.
   */
  decode(cursor: string): number | 'unknown' | null;
}

/** `subject` names what is subscribed to: cursors of another subject are refused. */
export function gatewayCursors(subject: string): GatewayCursors {
  const fingerprint = createHash('sha256').update(subject).digest('hex').slice(0, 8);
  const run = randomBytes(9).toString('base64url');
  return {
    encode: (index) => Buffer.from(`g.${index}.${run}.${fingerprint}`).toString('base64url'),
    decode(cursor) {
      const match = /^g\.(-1|\d{1,15})\.([\w-]{12})\.([0-9a-f]{8})$/.exec(
        Buffer.from(cursor, 'base64url').toString('latin1'),
      );
      if (match?.[3] !== fingerprint) return null;
      return match[2] === run ? Number(match[1]) : 'unknown';
    },
  };
}
