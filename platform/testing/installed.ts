import { spawnSync } from 'node:child_process';

/**
 * A `describe` for tests that need an installed engine: pass why it is missing, or null. Without the engine the tests are
 * skipped and the reason printed; in CI (CI=true) its absence fails instead, so that nothing is skipped unnoticed.
 */
export function describeWhenInstalled(missing: string | null, title: string, body: () => void): void {
  if (missing == null) return describe(title, body);
  if (process.env.CI === 'true') {
    return void test(`${title}: its engine is installed`, () => {
      throw new Error(missing);
    });
  }
  console.warn(`Skipped "${title}": ${missing}`);
  describe.skip(title, body);
}

/** Why a program of a Debian package cannot be used here, or null. */
export function programMissing(program: string, debianPackage: string): string | null {
  const found = spawnSync(program, ['-version'], { stdio: 'ignore' }).error == null;
  return found ? null : `${program} is not here. Install it with: apt-get install ${debianPackage}`;
}
