import type { Rules } from './rule';
import { FILES_RULES } from './rules/files';
import { MEDIA_RULES } from './rules/media';
import { NOTIFICATION_RULES } from './rules/notification';
import { USERS_RULES } from './rules/users';

/** How each place of the composed schema that takes an id is asked. A place without a rule fails the build. */
export const RULES: Rules = { ...USERS_RULES, ...FILES_RULES, ...MEDIA_RULES, ...NOTIFICATION_RULES };

/** Ids that name nothing of anybody's: engines, plans and identity providers, which everybody may read. */
export const PUBLIC_PLACES: readonly string[] = [
  'Mutation.createMedia.input.transcribe.engine',
  'Mutation.transcribe.input.options.engine',
  'Mutation.reprocess.input.options.engine',
  'Mutation.startLiveSession.input.options.engine',
  'Mutation.startOAuth.input.provider',
  'Mutation.updateUserAccess.input.planId',
];
