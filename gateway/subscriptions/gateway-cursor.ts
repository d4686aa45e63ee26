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

/** The cursors of one stream. `subject` names what is subscribed to: cursors of another subject are refused. */
export function gatewayCursors(subject: string): GatewayCursors {
  const fingerprint = fingerprintOf(subject);
  const run = randomBytes(9).toString('base64url');
  return {
    encode: (index) => Buffer.from(`g.${index}.${run}.${fingerprint}`).toString('base64url'),
    decode(cursor) {
      const parts = partsOf(cursor);
      if (parts?.fingerprint !== fingerprint) return null;
      return parts.run === run ? parts.index : 'unknown';
    },
  };
}

/** Whether a cursor is one of some stream of this subject. */
export function isGatewayCursor(subject: string, cursor: string): boolean {
  return partsOf(cursor)?.fingerprint === fingerprintOf(subject);
}

function fingerprintOf(subject: string): string {
  return createHash('sha256').update(subject).digest('hex').slice(0, 8);
}

function partsOf(cursor: string): { index: number; run: string; fingerprint: string } | undefined {
  const text = Buffer.from(cursor, 'base64url').toString('latin1');
  const [, index, run, fingerprint] = /^g\.(-1|\d{1,15})\.([\w-]{12})\.([0-9a-f]{8})$/.exec(text) ?? [];
  return index !== undefined && run !== undefined && fingerprint !== undefined
    ? { index: Number(index), run, fingerprint }
    : undefined;
}
