import { silentLogger } from '../../platform/logger';
import type { Subgraph } from '../../platform/subgraph/subgraph';
import { aViewer, askFor } from '../../platform/testing/calls';
import { describeWhenInstalled } from '../../platform/testing/installed';
import { waitFor } from '../../platform/testing/wait';
import { createNotificationSubgraph } from '../../subgraphs/notification/subgraph';
import { heard, openMediaSlice, transcribing, type MediaSlice } from '../../subgraphs/media/testing';
import type { SpeechSettings } from '../../subgraphs/media/speech-settings';
import { OPENAI_KEY, openOpenAiPeer } from '../../subgraphs/media/transcriber/remote/testing/openai-peer';
import type { Fault, Peer } from '../../subgraphs/media/transcriber/remote/testing/peer';
import { createTranscribers } from '../../subgraphs/media/transcribers';
import { enginesMissing } from '../engines';
import { startProxy, type Proxy } from '../proxy';
import type { MediaWorkerOptions } from './media-worker';
import { shortSpeech } from './speech';
import { endOfJob, LIMIT_MS, startWorkerProcess, type WorkerProcess } from './worker-process';

const SAID = 'Said by the server.';
/** More than all tries of all attempts. */
const ALWAYS = 60;

describeWhenInstalled(enginesMissing(), 'a remote speech engine', () => {
  let peer: Peer;
  let proxy: Proxy;
  let slice: MediaSlice;
  let jobs: Subgraph;
  let recording: Buffer;
  let viewer: ReturnType<typeof aViewer>;

  beforeAll(async () => {
    recording = await shortSpeech();
    peer = await openOpenAiPeer(async () => [heard(0, 500, SAID)]);
    proxy = await startProxy(peer.url);
    slice = await openMediaSlice(createTranscribers({ settings: settings(), concurrency: 1, logger: silentLogger }));
    jobs = createNotificationSubgraph(slice.platform);
  });
  beforeEach(() => (viewer = aViewer()));
  afterEach(() => {
    proxy.restore();
    peer.faults.length = 0;
  });
  afterAll(async () => {
    await slice[Symbol.asyncDispose]();
    await proxy[Symbol.asyncDispose]();
    await peer[Symbol.asyncDispose]();
  });

  const settings = (): SpeechSettings => ({
    order: ['openai', 'pocketsphinx'],
    deepgram: null,
    sherpa: null,
    openai: {
      url: proxy.url,
      apiKey: OPENAI_KEY,
      model: 'whisper-1',
      wordTimes: true,
      languages: ['en'],
      pieces: { idealMs: 60_000, maxMs: 90_000, parallel: 1 },
      timeoutMs: 1_000,
    },
  });

  function startWorker(): Promise<WorkerProcess> {
    const options: MediaWorkerOptions = { settings: settings() };
    const script = 'e2e/reliability/media-worker.ts';
    return startWorkerProcess(slice.platform, { script, env: { MEDIA_WORKER: JSON.stringify(options) } });
  }

  /** Who is said to have made the transcript, at both places where that is told, and what it is. */
  async function madeBy({ mediaId, transcriptId }: { mediaId: string; transcriptId: string }) {
    interface Told {
      transcript: { engine: string; text: string };
      media: { lineage: { outputId: string; engine: string }[] };
    }
    const query = `query ($id: ID!, $mediaId: ID!) { transcript(id: $id) { engine text }
      media(id: $mediaId) { lineage { outputId engine } } }`;
    const told = await askFor<Told>(slice.subgraph, viewer, query, { id: transcriptId, mediaId });
    const origin = told.media.lineage.find(({ outputId }) => outputId === transcriptId);
    return { ...told.transcript, origin: origin?.engine };
  }

  async function stateOfRemote(): Promise<{ available: boolean; reason: string | null }> {
    const query = 'query { mediaEngines { id available reason } }';
    const { mediaEngines } = await askFor<{
      mediaEngines: { id: string; available: boolean; reason: string | null }[];
    }>(slice.subgraph, viewer, query);
    const { available, reason } = mediaEngines.find(({ id }) => id === 'openai')!;
    return { available, reason };
  }

  test(
    'that works is the one that is used',
    async () => {
      const work = await transcribing(slice, viewer, recording);
      await using _worker = await startWorker();
      expect(await endOfJob(slice.platform, work.jobId)).toMatchObject({ state: 'SUCCEEDED', attempt: 1 });
      expect(await madeBy(work)).toEqual({ engine: 'openai', origin: 'openai', text: SAID });
      expect(peer.breaches).toEqual([]);
    },
    LIMIT_MS,
  );

  const troubles: [what: string, fault: Fault | null][] = [
    ['is down', null],
    ['does not answer', 'silent'],
    ['answers with a page for people', 'a page'],
    ['wants us to wait for ten minutes', { status: 429, headers: { 'retry-after': '600' } }],
  ];
  test.each(troubles)(
    'that %s is followed by PocketSphinx, and the transcript says so',
    async (_what, fault) => {
      const work = await transcribing(slice, viewer, recording);
      if (fault === null) proxy.cut();
      else peer.faults.push(...Array.from({ length: ALWAYS }, () => fault));
      await using _worker = await startWorker();
      expect(await endOfJob(slice.platform, work.jobId)).toMatchObject({ state: 'SUCCEEDED', attempt: 1 });
      const made = await madeBy(work);
      expect(made).toMatchObject({ engine: 'pocketsphinx', origin: 'pocketsphinx' });
      expect(made.text).toMatch(/\w+ \w+/);
      expect(made.text).not.toContain(SAID);
    },
    LIMIT_MS,
  );

  test(
    'that was asked for fails the job with a reason for people, and a retry once it is back succeeds',
    async () => {
      const work = await transcribing(slice, viewer, recording, { engine: 'openai' });
      const body = JSON.stringify({ error: { code: 'overloaded', message: `${OPENAI_KEY} at ${proxy.url}` } });
      peer.faults.push(...Array.from({ length: ALWAYS }, () => ({ status: 503, body })));
      {
        await using _worker = await startWorker();
        const job = await endOfJob(slice.platform, work.jobId);
        expect(job).toMatchObject({ state: 'FAILED', attempt: 3, errorRetryable: true });
        expect(job.errorMessage).toMatch(/engine|server/i);
        expect(job.errorMessage).not.toMatch(new RegExp(`${OPENAI_KEY}|127\\.0\\.0\\.1|localhost`));
      }
      peer.faults.length = 0;
      const retry = 'mutation ($jobId: ID!) { retryJob(input: { jobId: $jobId }) { errors { code message } } }';
      const { retryJob } = await askFor<{ retryJob: { errors: unknown[] } }>(jobs, viewer, retry, {
        jobId: work.jobId,
      });
      expect(retryJob.errors).toEqual([]);
      await using _fresh = await startWorker();
      expect(await endOfJob(slice.platform, work.jobId)).toMatchObject({ state: 'SUCCEEDED', errorCode: null });
      expect(await madeBy(work)).toEqual({ engine: 'openai', origin: 'openai', text: SAID });
    },
    LIMIT_MS,
  );

  test(
    'that keeps failing is shown as left alone in the process that has seen it, and is not asked for new work',
    async () => {
      expect(await stateOfRemote()).toEqual({ available: true, reason: null });
      peer.faults.push(...Array.from({ length: ALWAYS }, (): Fault => 'cut off'));
      const works = [await transcribing(slice, viewer, recording), await transcribing(slice, viewer, recording)];
      slice.startWorker();
      const leftAlone = await waitFor(
        'it to be left alone',
        async () => {
          const state = await stateOfRemote();
          return state.available ? null : state;
        },
        LIMIT_MS,
      );
      expect(leftAlone.reason).toMatch(/^It failed repeatedly and is left alone/);
      works.push(await transcribing(slice, viewer, recording));
      expect(await madeBy(works[2]!)).toMatchObject({ engine: 'pocketsphinx', text: '' });
      for (const { jobId } of works)
        expect(await endOfJob(slice.platform, jobId)).toMatchObject({ state: 'SUCCEEDED' });
      for (const work of works) expect(await madeBy(work)).toMatchObject({ engine: 'pocketsphinx' });
    },
    LIMIT_MS,
  );
});
