import { openTestPlatform } from './testing/platform';

test('as many transactions run at once as the platform was given connections', async () => {
  const poolSize = 14; // more than the default
  await using opened = await openTestPlatform({ poolSize });
  let started = 0;
  let release = (): void => undefined;
  const allStarted = new Promise<void>((resolve) => (release = resolve));
  const run = (): Promise<void> =>
    opened.platform.database.prisma.$transaction(async (tx) => {
      await tx.$queryRaw`select 1`;
      if (++started === poolSize) release();
      await allStarted;
    });
  await Promise.all(Array.from({ length: poolSize }, run));
  expect(started).toBe(poolSize);
});
