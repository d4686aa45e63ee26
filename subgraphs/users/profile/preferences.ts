import { isDeepStrictEqual } from 'node:util';
import { UserProblemError } from '../../../platform/errors';
import type { EventLog } from '../../../platform/events/event-log';
import type { Viewer } from '../../../platform/identity/viewer';
import { MAX_JSON_BYTES } from '../../../platform/subgraph/json-scalar';
import type { UsersProblemCode } from '../errors';
import { announceViewer } from '../events';
import type { UserRow } from '../records';
import { accountGone } from './account-gone';
import { isJsonObject, mergePatch, type JsonObject } from './merge-patch';
import { personaFault } from './persona';
import type { ProfileRecords } from './profile-records';

export interface PreferencesInput {
  patch: unknown;
  expectedVersion?: number | null | undefined;
}

/** One versioned document per account. */
export class Preferences {
  constructor(
    private readonly records: ProfileRecords,
    private readonly events: EventLog,
    private readonly clock: () => Date,
  ) {}

  /**
   * Merges a patch (RFC 7396) into the document and tells the account's devices; a patch that changes nothing leaves the
   * version. Parallel calls follow each other, so none is lost. Throws CONFLICT when the version is not the expected one,
   * INVALID_INPUT when the patch is no object or the merged document is too long or says nonsense.
   */
  update(viewer: Viewer, { patch, expectedVersion }: PreferencesInput): Promise<UserRow> {
    if (!isJsonObject(patch)) throw problem('INVALID_INPUT', 'A patch is a JSON object; see RFC 7396.', ['patch']);
    return this.records.transaction(async (tx) => {
      const user = (await this.records.lockUser(tx, viewer.userId)) ?? accountGone();
      if (expectedVersion != null && expectedVersion !== user.preferencesVersion)
        throw problem(
          'CONFLICT',
          `The preferences have version ${user.preferencesVersion} by now, and not ${expectedVersion}.`,
          ['expectedVersion'],
        );
      const merged = mergePatch(user.preferences, patch) as JsonObject;
      if (isDeepStrictEqual(merged, user.preferences)) return user;
      const next = { values: checkedDocument(merged), version: user.preferencesVersion + 1, at: this.clock() };
      const changed = await this.records.savePreferences(tx, user.id, next);
      await announceViewer(tx, this.events, user.id, 'PREFERENCES');
      return changed;
    });
  }
}

/** The document as it is stored. It is no deeper than the deepest patch that was merged into it, which the scalar bounds. */
function checkedDocument(merged: JsonObject): string {
  const text = JSON.stringify(merged);
  const bytes = Buffer.byteLength(text);
  if (bytes > MAX_JSON_BYTES)
    throw problem('INVALID_INPUT', `Preferences have at most ${MAX_JSON_BYTES} bytes; these would have ${bytes}.`, [
      'patch',
    ]);
  // PostgreSQL stores neither; JSON writes both as escapes, and an escaped backslash before them is text.
  if (/(?<!\\)(?:\\\\)*\\u(?:0000|d[89a-f])/.test(text))
    throw problem('INVALID_INPUT', 'Preferences hold neither NUL nor half a surrogate pair.', ['patch']);
  const fault = personaFault(merged);
  if (fault) throw problem('INVALID_INPUT', fault.message, ['patch', ...fault.key]);
  return text;
}

function problem(code: UsersProblemCode, message: string, path: string[]): UserProblemError<UsersProblemCode> {
  return new UserProblemError({ code, message, path: ['input', ...path] });
}
