import { randomBytes } from 'node:crypto';
import type { SautiClient } from '../client/client';
import { SignInDocument, SignUpDocument, type SignInMutation } from '../client/operations.generated';
import { untilAnswered } from '../client/retry';
import { failOn } from './program';

/** Makes an account that nobody will use again, and lets the client act for it. Answers its address. */
export async function signUp(client: SautiClient, deviceName: string): Promise<string> {
  const email = `demo-${randomBytes(6).toString('hex')}@example.com`;
  const password = randomBytes(12).toString('base64url');
  const { signUp } = await untilAnswered(
    () => client.request(SignUpDocument, { input: { email, password, displayName: 'Demo', deviceName } }),
    { isFirst: true },
  );
  // Where the answer was lost and the call repeated, the account exists already.
  const isRepeated = signUp.errors.some(({ code }) => code === 'ALREADY_EXISTS');
  const { tokens, errors } = isRepeated ? await signIn(client, { email, password, deviceName }) : signUp;
  failOn(errors);
  client.useTokens(tokens!);
  return email;
}

async function signIn(
  client: SautiClient,
  input: { email: string; password: string; deviceName: string },
): Promise<SignInMutation['signIn']> {
  return (await untilAnswered(() => client.request(SignInDocument, { input }))).signIn;
}
