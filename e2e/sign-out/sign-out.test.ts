import { EndSessionsDocument, FollowInboxDocument } from '../../client/operations.generated';
import { aPerson, type Person } from '../people';
import { MODES, startSystem, type System } from '../system';

describe.each(MODES)('signing out, %s', (mode) => {
  let system: System;
  beforeAll(async () => {
    system = await startSystem(mode);
  }, 120_000);
  afterAll(() => system?.[Symbol.asyncDispose](), 60_000);

  async function signOut({ client }: Person): Promise<void> {
    const { endSessions } = await client.request(EndSessionsDocument, { input: {} });
    expect(endSessions).toEqual({ ended: 1, errors: [] });
  }

  test('ends the streams of that session, and those of nobody else', async () => {
    await using amina = await aPerson(system.endpoint);
    await using baraka = await aPerson(system.endpoint);
    await using chausiku = await aPerson(system.endpoint);
    const his = baraka.client.follow(FollowInboxDocument, {});
    let hasEnded = false;
    const hisEnd = his.next().finally(() => (hasEnded = true));

    for (const person of [amina, chausiku]) {
      const hers = person.client.follow(FollowInboxDocument, {}).next();
      await signOut(person);
      // Her client comes back only with another token, and has none.
      await expect(hers).rejects.toThrow(/access token was refused/);
    }
    expect(hasEnded).toBe(false);
    await his.return();
    await hisEnd;
  }, 60_000);
});
