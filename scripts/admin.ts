import { emailKeyOf } from '../subgraphs/users/accounts/email-address';
import { makeAdministrator } from '../subgraphs/users/administration/make-administrator';
import { runCommand, UsageError } from './run-command';

/** `npm run admin -- <e-mail>`: makes an account an administrator, the first one above all. */
void runCommand({
  name: 'admin',
  read([email, ...rest]) {
    if (email?.includes('@') && rest.length === 0) return email;
    throw new UsageError('Use: npm run admin -- <e-mail of an account>');
  },
  async run(platform, email) {
    const appointment = await makeAdministrator(platform, emailKeyOf(email));
    if (appointment.outcome === 'unknown')
      throw new UsageError(`No account has the address ${email}. Sign up with it first, then run this again.`);
    const { user, outcome } = appointment;
    const now = outcome === 'made' ? 'is an administrator now' : 'was an administrator already';
    process.stdout.write(`${user.displayName} (${user.id}) ${now}.\n`);
  },
});
