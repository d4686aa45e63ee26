import type { EndReason } from '../connections/connections';
import { MAX_REASON_BYTES } from './close-code';
import type { SocketOperation } from './socket-operation';

/** The message that tells a client why its connection ends, and where its operations go on when it comes back. */
export function farewellText(code: EndReason, operations: Iterable<SocketOperation>): string {
  const cursors = [...operations]
    .filter(({ cursor }) => cursor !== undefined)
    .map(({ id, cursor }) => `${JSON.stringify(id)}:${JSON.stringify(cursor)}`);
  return `{"type":"ping","payload":{"code":"${code}","cursors":{${cursors.join(',')}}}}`;
}

/** Why a client that does not read has to leave, and where it goes on, if a close frame has room for that. */
export function tooSlowReason(cursor: string | undefined): string {
  const told = `Too slow; resume after ${cursor}`;
  return cursor !== undefined && Buffer.byteLength(told) <= MAX_REASON_BYTES ? told : 'Too slow';
}
