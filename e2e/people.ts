import { randomBytes } from 'node:crypto';
import { SautiClient } from '../client/client';
import {
  CreateMediaDocument,
  FollowJobDocument,
  SignUpDocument,
  type CreateMediaMutation,
  type FollowJobSubscription,
} from '../client/operations.generated';

export interface Person extends AsyncDisposable {
  id: string;
  client: SautiClient;
  accessToken: string;
  refreshToken: string;
  password: string;
}

/** Somebody who has just signed up and acts through a client of their own. */
export async function aPerson(endpoint: string): Promise<Person> {
  const client = new SautiClient(endpoint);
  const password = randomBytes(12).toString('base64url');
  const { signUp } = await client.request(SignUpDocument, {
    input: {
      email: `${randomBytes(8).toString('hex')}@example.com`,
      password,
      displayName: 'Amina',
    },
  });
  expect(signUp.errors).toEqual([]);
  client.useAccessToken(signUp.tokens!.accessToken);
  return {
    id: signUp.viewer!.id,
    client,
    accessToken: signUp.tokens!.accessToken,
    refreshToken: signUp.tokens!.refreshToken,
    password,
    [Symbol.asyncDispose]: () => client[Symbol.asyncDispose](),
  };
}

/** Uploads a recording and asks for its transcript at once; answers the payload, problems included. */
export async function uploadForTranscript(
  { client }: Person,
  path: string,
  name?: string,
): Promise<CreateMediaMutation['createMedia']> {
  const { createMedia } = await client.upload(
    CreateMediaDocument,
    { input: { upload: null, transcribe: { language: 'en' } } },
    { at: 'input.upload', path, name },
  );
  return createMedia;
}

export type JobEvent = Extract<FollowJobSubscription['jobEvents'], { __typename: 'JobSummary' }>;

/** Follows a job to its end and answers every event. */
export async function jobToItsEnd({ client }: Person, jobId: string): Promise<JobEvent[]> {
  const events: JobEvent[] = [];
  for await (const { jobEvents } of client.subscribe(FollowJobDocument, { jobId })) {
    if (jobEvents.__typename === 'JobSummary') events.push(jobEvents);
  }
  return events;
}
