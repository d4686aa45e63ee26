import { UserProblemError } from '../../../platform/errors';
import type { EventLog } from '../../../platform/events/event-log';
import { isId } from '../../../platform/ids';
import type { Viewer } from '../../../platform/identity/viewer';
import type { UsersProblemCode } from '../errors';
import { announceViewer } from '../events';
import type { UsersTransaction, UserRow } from '../records';
import { accountGone } from './account-gone';
import { checkedBirthDate, checkedLocale, checkedName, checkedOptionalName, checkedTimeZone } from './profile-checks';
import type { ProfileChanges, ProfileRecords } from './profile-records';

/** Largest picture that can stand for an account. */
const MAX_AVATAR_BYTES = 5_000_000;
/** What every browser shows, and what no browser runs: SVG may hold scripts. */
const AVATAR_TYPES = ['image/jpeg', 'image/png', 'image/webp', 'image/gif', 'image/avif'];

export interface ProfileInput {
  displayName?: string | null | undefined;
  firstName?: string | null | undefined;
  lastName?: string | null | undefined;
  birthDate?: string | null | undefined;
  avatarFileId?: string | null | undefined;
  locale?: string | null | undefined;
  timeZone?: string | null | undefined;
}

/** How accounts present themselves. */
export class Profiles {
  constructor(
    private readonly records: ProfileRecords,
    private readonly events: EventLog,
    private readonly clock: () => Date,
  ) {}

  /**
   * Changes what is given, all or nothing, and tells the account's devices. Null removes names, birth date and picture, and
   * leaves what cannot be missing. Throws INVALID_INPUT, and for the picture NOT_FOUND, TYPE_NOT_ALLOWED or FILE_TOO_LARGE.
   */
  update(viewer: Viewer, input: ProfileInput): Promise<UserRow> {
    const changes = checkedChanges(input, this.clock());
    return this.records.transaction(async (tx) => {
      const user = (await this.records.lockUser(tx, viewer.userId)) ?? accountGone();
      if (changes.avatarFileId != null) await this.checkPicture(tx, changes.avatarFileId, user.id);
      if (Object.keys(changes).length === 0) return user;
      const changed = await this.records.updateProfile(tx, user.id, changes);
      await announceViewer(tx, this.events, user.id, 'PROFILE');
      return changed;
    });
  }

  private async checkPicture(tx: UsersTransaction, fileId: string, ownerId: string): Promise<void> {
    const file = isId('fil', fileId) ? await this.records.ownFile(tx, fileId, ownerId) : null;
    if (!file) throw pictureProblem('NOT_FOUND', 'You have no file with this ID.');
    if (!AVATAR_TYPES.includes(file.mimeType))
      throw pictureProblem(
        'TYPE_NOT_ALLOWED',
        `A picture is one of ${AVATAR_TYPES.join(', ')}; this file is ${file.mimeType}.`,
      );
    if (file.sizeBytes > MAX_AVATAR_BYTES)
      throw pictureProblem(
        'FILE_TOO_LARGE',
        `A picture has at most ${MAX_AVATAR_BYTES} bytes; this file has ${file.sizeBytes}.`,
      );
  }
}

/** Field by field: nothing else that a client sends reaches the account's row. */
function checkedChanges(input: ProfileInput, now: Date): ProfileChanges {
  const { displayName, firstName, lastName, birthDate, avatarFileId, locale, timeZone } = input;
  return {
    ...(displayName != null ? { displayName: checkedName(displayName, 'displayName') } : {}),
    ...(firstName !== undefined ? { firstName: checkedOptionalName(firstName, 'firstName') } : {}),
    ...(lastName !== undefined ? { lastName: checkedOptionalName(lastName, 'lastName') } : {}),
    ...(birthDate !== undefined ? { birthDate: birthDate === null ? null : checkedBirthDate(birthDate, now) } : {}),
    ...(avatarFileId !== undefined ? { avatarFileId } : {}),
    ...(locale != null ? { locale: checkedLocale(locale) } : {}),
    ...(timeZone != null ? { timeZone: checkedTimeZone(timeZone) } : {}),
  };
}

function pictureProblem(code: UsersProblemCode, message: string): UserProblemError<UsersProblemCode> {
  return new UserProblemError({ code, message, path: ['input', 'avatarFileId'] });
}
