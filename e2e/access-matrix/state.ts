import type { Platform } from '../../platform/platform';
import { tableState, type TableState } from '../../platform/testing/table-state';

/**
 * Tables that a refused call may write to: what counts attempts, and what was tried. Everything else stays as it is.
 */
const MAY_CHANGE = ['users.attempt_count', 'users.audit_event'];

/** A digest of every table of ours: what a caller could have changed. */
export function stateOf({ database }: Platform): Promise<TableState> {
  return tableState(database, MAY_CHANGE);
}
