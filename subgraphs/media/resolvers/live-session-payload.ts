import { asPayload } from '../../../platform/errors';
import type { Loaders } from '../context';

/** The session behind a change that answers its id; read anew where the request has read it before. */
export function liveSessionPayload({ ownLiveSession }: Pick<Loaders, 'ownLiveSession'>, change: () => Promise<string>) {
  return asPayload(
    async () => {
      const id = await change();
      return { session: await ownLiveSession.clear(id).load(id) };
    },
    { session: null },
  );
}
