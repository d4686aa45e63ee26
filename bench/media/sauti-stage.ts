import { mkdtemp } from 'node:fs/promises';
import path from 'node:path';
import { SautiClient } from '../../client/client';
import { CreateMediaDocument, type CreateMediaInput } from '../../client/operations.generated';
import { Account } from '../../e2e/chaos/account';
import { startDatabase } from '../../e2e/chaos/database';
import { Store } from '../../e2e/chaos/store';
import { descendantsOf, processesMentioning } from '../../e2e/restarts/processes';
import { repositoryRoot } from '../../platform/root';
import { waitFor } from '../../platform/testing/wait';
import { Resources } from '../gateway/resources';
import { freePort } from '../gateway/system';
import type { Bench } from './bench';
import { startProgram } from './program';

/** All of Sauti as `npm start` runs it, with its engines, and somebody who uses it. */
export interface SautiStage extends AsyncDisposable {
  /** e.g. `http://127.0.0.1:40123/graphql` */
  endpoint: string;
  /** What a further process of this deployment is started with. */
  env: Record<string, string>;
  store: Store;
  account: Account;
  /** Id of the worker process. */
  workerPid: number;
  /** Uploads a recording; answers its ids, and those of what was asked for with it. */
  upload(file: string, input: Omit<CreateMediaInput, 'upload'>): Promise<Uploaded>;
}

export interface Uploaded {
  mediaId: string;
  jobId: string | null;
  transcriptId: string | null;
}

const ENDED = ['SUCCEEDED', 'FAILED', 'CANCELED'];
const JOB_LIMIT_MS = 3_600_000;
/** Within this, a job comes to the stage that a figure wants. */
const STAGE_LIMIT_MS = 60_000;

export async function openSautiStage(
  { folder }: Pick<Bench, 'folder'>,
  options: { concurrency: number; env?: Record<string, string> },
): Promise<SautiStage> {
  const resources = new Resources();
  const data = await mkdtemp(path.join(folder, 'sauti-'));
  const database = resources.use(await startDatabase(path.join(data, 'postgres')));
  const store = resources.use(new Store(database.url));
  const port = await freePort();
  const env = {
    DATABASE_URL: database.url,
    SAUTI_DATA_DIR: data,
    SAUTI_SECRET: 'a secret for one benchmark only, 32+',
    LOG_LEVEL: 'error',
    PORT: String(port),
    WORKER_CONCURRENCY: String(options.concurrency),
    ...options.env,
  };
  const origin = `http://127.0.0.1:${port}`;
  const isUp = async (): Promise<boolean> => (await fetch(`${origin}/ready`)).ok;
  const args = [path.join(repositoryRoot(), 'dist/scripts/start.js')];
  const program = resources.use(await startProgram({ args, env, isUp }));
  const account = await Account.signUp(`${origin}/graphql`);
  const client = resources.use(new SautiClient(`${origin}/graphql`));
  client.useAccessToken(await account.token());
  const worker = (): Promise<number> =>
    waitFor('the worker', () => {
      const own = descendantsOf(program.pid);
      return processesMentioning('worker/main.js').find((pid) => own.includes(pid));
    });
  return {
    endpoint: `${origin}/graphql`,
    env,
    store,
    account,
    workerPid: await worker(),
    async upload(file, input) {
      const variables = { input: { ...input, upload: null } };
      const { createMedia } = await client.upload(CreateMediaDocument, variables, { at: 'input.upload', path: file });
      const { media, job, errors } = createMedia;
      if (!media) throw new Error(`The recording was refused: ${JSON.stringify(errors)}`);
      return { mediaId: media.id, jobId: job?.id ?? null, transcriptId: job?.result?.id ?? null };
    },
    [Symbol.asyncDispose]: () => resources[Symbol.asyncDispose](),
  };
}

export interface JobRow {
  state: string;
  stage: string | null;
  progress: number;
  startedMs: number | null;
  finishedMs: number | null;
  error: string | null;
}

export async function readJob({ store }: SautiStage, jobId: string): Promise<JobRow> {
  const [row] = await store.query<JobRow>(
    `select state::text as state, stage, progress, error_message as error,
            (extract(epoch from started_at) * 1000)::float8 as "startedMs",
            (extract(epoch from finished_at) * 1000)::float8 as "finishedMs"
       from platform.job where id = $1`,
    [jobId],
  );
  return row!;
}

/** Resolves with a job as soon as it looks like that; rejects when it ends otherwise. */
export async function jobThat(
  stage: SautiStage,
  jobId: string,
  isWanted: (job: JobRow) => boolean,
  limitMs = STAGE_LIMIT_MS,
): Promise<JobRow> {
  let last: JobRow | undefined;
  let ended: JobRow | undefined;
  const found = await waitFor(
    'the job',
    async () => {
      const job = (last = await readJob(stage, jobId));
      if (isWanted(job)) return job;
      if (ENDED.includes(job.state)) return (ended = job);
      return null;
    },
    limitMs,
  ).catch((error: Error) => {
    throw new Error(`${error.message}: ${JSON.stringify(last)}`);
  });
  if (ended) throw new Error(`The job ended as ${ended.state}: ${ended.error ?? ''}`);
  return found;
}

export const succeeded = (stage: SautiStage, jobId: string): Promise<JobRow> =>
  jobThat(stage, jobId, ({ state }) => state === 'SUCCEEDED', JOB_LIMIT_MS);
