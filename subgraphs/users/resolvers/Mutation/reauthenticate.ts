import type { MutationResolvers } from '../../resolvers-types.generated';
import { acknowledged } from '../acknowledged';

export const reauthenticate: MutationResolvers['reauthenticate'] = (
  _parent,
  { input },
  { identity, reauthentication },
) => acknowledged(() => reauthentication.prove(identity, input));
