import { createSeal } from '../../../platform/seal';
import type { SignIns } from '../accounts/sign-in';
import type { Attempts } from '../attempts';
import type { UserRecords, UsersDatabase } from '../records';
import type { SecurityTrail } from '../security-trail';
import { Challenges } from './challenges';
import { CodeCheck } from './code-check';
import { FactorRecords } from './factor-records';
import { Factors } from './factors';
import { MfaSignIn } from './mfa-sign-in';
import { Reauthentication } from './reauthentication';
import { TrustedDevices } from './trusted-devices';

/** Second factors in their parts. Sign-ins need `challenges`, and what finishes one needs the sign-ins. */
export function createFactors(parts: {
  database: UsersDatabase;
  records: UserRecords;
  attempts: Attempts;
  trail: SecurityTrail;
  secret: string;
  clock: () => Date;
}) {
  const factorRecords = new FactorRecords(parts.database);
  const devices = new TrustedDevices(factorRecords);
  const seal = createSeal(parts.secret, 'totp');
  const codes = new CodeCheck(factorRecords, seal);
  const shared = { ...parts, factorRecords, devices, codes, seal };
  return {
    challenges: new Challenges(factorRecords, devices, parts.clock),
    factors: new Factors(shared),
    reauthentication: new Reauthentication(shared),
    mfaSignIn: (signIns: SignIns) => new MfaSignIn({ ...shared, signIns }),
  };
}
