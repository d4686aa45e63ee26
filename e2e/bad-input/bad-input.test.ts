import { request } from 'node:http';
import { mkdtemp, readdir, rm, writeFile } from 'node:fs/promises';
import os from 'node:os';
import path from 'node:path';
import { print } from 'graphql';
import jwt from 'jsonwebtoken';
import {
  CancelJobDocument,
  ReadViewerDocument,
  TranscribeDocument,
  TranslateTextDocument,
  UploadFileDocument,
  ReadForeignObjectsDocument,
} from '../../client/operations.generated';
import { buildGoldenSpeech } from '../../platform/testing/golden-speech';
import { waitFor } from '../../platform/testing/wait';
import { describeInBothModes } from '../engines';
import { aPerson, jobToItsEnd, uploadForTranscript, type Person } from '../people';
import { startSystem, type System } from '../system';
import { badRecordings } from './recordings';

const NOBODYS_MEDIA = `med_${'0'.repeat(26)}`;

describeInBothModes('bad input', (mode) => {
  let system: System;
  let folder: string;
  let speech: string;
  let amina: Person;

  beforeAll(async () => {
    folder = await mkdtemp(path.join(os.tmpdir(), 'sauti-bad-'));
    speech = path.join(folder, 'speech.wav');
    await buildGoldenSpeech(speech);
    system = await startSystem(mode, { MAX_FILE_BYTES: '50000000' });
    amina = await aPerson(system.endpoint);
  }, 120_000);

  afterAll(async () => {
    await amina?.[Symbol.asyncDispose]();
    await system?.[Symbol.asyncDispose]();
    await rm(folder, { recursive: true, force: true });
  }, 60_000);

  /** Ids of everything the person owns, to prove that a refusal left nothing. */
  const belongings = async (): Promise<number> => {
    const ids = { mediaId: NOBODYS_MEDIA, fileId: NOBODYS_MEDIA, transcriptId: NOBODYS_MEDIA };
    const { library, files, jobs } = await amina.client.request(ReadForeignObjectsDocument, ids);
    return library.nodes.length + files.nodes.length + jobs.nodes.length;
  };
  const objectsOnDisk = async (): Promise<number> => {
    const entries = await readdir(path.join(system.dataDirectory, 'objects'), {
      recursive: true,
      withFileTypes: true,
    }).catch(() => []);
    return entries.filter((entry) => entry.isFile()).length;
  };
  const refusedWithNothingKept = async (file: string, code: string): Promise<string> => {
    const before = [await belongings(), await objectsOnDisk()];
    const { media, job, errors } = await uploadForTranscript(amina, file);
    expect({ media, job, codes: errors.map((error) => error.code) }).toEqual({ media: null, job: null, codes: [code] });
    expect([await belongings(), await objectsOnDisk()]).toEqual(before);
    return errors[0]!.message;
  };
  const failedJob = async (file: string) => {
    const { job, errors } = await uploadForTranscript(amina, file);
    expect(errors).toEqual([]);
    return (await jobToItsEnd(amina, job!.id)).at(-1);
  };

  test('an empty file is refused', async () => {
    expect(await refusedWithNothingKept(await badRecordings.empty(folder), 'INVALID_INPUT')).toMatch(/empty/);
  });

  test('text named .wav is refused by its content', async () => {
    expect(await refusedWithNothingKept(await badRecordings.textNamedWav(folder), 'TYPE_NOT_ALLOWED')).toMatch(
      /text\/plain/,
    );
  });

  test('a playlist named .mp4 is refused and opens no other file', async () => {
    const message = await refusedWithNothingKept(
      await badRecordings.playlistNamedMp4(folder, speech),
      'TYPE_NOT_ALLOWED',
    );
    expect(message).toMatch(/mpegurl/);
  });

  test('a file over the limit is refused with the limit', async () => {
    const large = path.join(folder, 'large.wav');
    await writeFile(
      large,
      Buffer.concat([Buffer.from('RIFF\u0000\u0000\u0000\u0000WAVEfmt '), Buffer.alloc(50_000_001)]),
    );
    expect(await refusedWithNothingKept(large, 'FILE_TOO_LARGE')).toMatch(/50000000/);
  });

  test.each([
    ['a WAV without samples', 'INVALID_INPUT', () => badRecordings.noSamples(folder)],
    ['a codec that no decoder knows', 'UNSUPPORTED', () => badRecordings.unknownCodec(folder, speech)],
    ['an MP4 that lost its end', 'INVALID_INPUT', () => badRecordings.cutOff(folder, speech)],
  ])('%s fails with %s and is not tried again', async (_what, code, make) => {
    const last = await failedJob(await make());
    expect(last).toMatchObject({ state: 'FAILED', error: { code } });
    expect(last!.error!.message).toMatch(/\w+ \w+/);
  });

  test('two hours of silence fail with NO_SPEECH and the length', async () => {
    const last = await failedJob(await badRecordings.twoHoursOfSilence(folder));
    expect(last).toMatchObject({
      state: 'FAILED',
      error: { code: 'NO_SPEECH', message: expect.stringMatching(/7200|2 h/) as string },
    });
  }, 180_000);

  test('an upload that breaks off keeps nothing', async () => {
    const before = [await belongings(), await objectsOnDisk()];
    const hangUp = beginUpload(system.endpoint, amina.accessToken);
    await waitFor('the upload to be under way', async () => (await objectsOnDisk()) === before[1]! + 1);
    hangUp();
    await waitFor('the broken upload to be forgotten', async () => (await objectsOnDisk()) === before[1]);
    expect([await belongings(), await objectsOnDisk()]).toEqual(before);
  });

  test('another checksum than the bytes have is refused', async () => {
    const variables = { input: { file: null, sha256: 'ab'.repeat(32) } };
    const { uploadFile } = await amina.client.upload(UploadFileDocument, variables, { at: 'input.file', path: speech });
    expect(uploadFile).toMatchObject({ file: null, errors: [{ code: 'CHECKSUM_MISMATCH' }] });
  });

  test.each([
    ['made up', 'nonsense.token.here', /not valid/],
    [
      'signed by somebody else',
      jwt.sign({ sub: 'usr_x', sid: 'ses_x' }, 'another secret', { expiresIn: 60 }),
      /not valid/,
    ],
  ])('a token that is %s gets 401 for the whole request', async (_what, token, message) => {
    const response = await fetch(system.endpoint, {
      method: 'POST',
      headers: { 'content-type': 'application/json', authorization: `Bearer ${token}` },
      body: JSON.stringify({ query: print(ReadViewerDocument) }),
    });
    expect(response.status).toBe(401);
    expect(await response.json()).toMatchObject({
      errors: [{ message: expect.stringMatching(message) as string, extensions: { code: 'UNAUTHENTICATED' } }],
    });
  });

  test('without a token the viewer is null and what needs one says so', async () => {
    amina.client.useAccessToken(undefined);
    try {
      expect(await amina.client.request(ReadViewerDocument, {})).toEqual({ viewer: null });
      await expect(amina.client.request(TranscribeDocument, { input: { mediaId: NOBODYS_MEDIA } })).rejects.toThrow(
        /Sign in first.*UNAUTHENTICATED/,
      );
    } finally {
      amina.client.useAccessToken(amina.accessToken);
    }
  });

  test('ids that nobody has are told as NOT_FOUND', async () => {
    const { transcribe } = await amina.client.request(TranscribeDocument, { input: { mediaId: NOBODYS_MEDIA } });
    expect(transcribe).toMatchObject({ job: null, errors: [{ code: 'NOT_FOUND', path: ['input', 'mediaId'] }] });
    const { cancelJob } = await amina.client.request(CancelJobDocument, { jobId: `job_${'0'.repeat(26)}` });
    expect(cancelJob).toMatchObject({ job: null, errors: [{ code: 'NOT_FOUND' }] });
  });

  test('a pair of languages that no engine translates is told with what is possible', async () => {
    const { translateText } = await amina.client.request(TranslateTextDocument, {
      input: { texts: ['Habari gani?'], from: 'sw', to: 'es' },
    });
    expect(translateText.errors).toMatchObject([{ code: 'LANGUAGE_PAIR_UNSUPPORTED' }]);
    expect(translateText.translations).toEqual([]);
  });

  test('a language that no engine recognizes is told before anything is queued', async () => {
    const { media } = await uploadForTranscript(amina, speech);
    const { transcribe } = await amina.client.request(TranscribeDocument, {
      input: { mediaId: media!.id, options: { language: 'sw' } },
    });
    expect(transcribe).toMatchObject({ job: null, errors: [{ code: 'UNSUPPORTED' }] });
  });
});

/** Sends the beginning of a multipart upload and declares more; answers how to hang up. */
function beginUpload(endpoint: string, accessToken: string): () => void {
  const boundary = 'a-boundary';
  const field = (name: string, value: string): string =>
    `--${boundary}\r\nContent-Disposition: form-data; name="${name}"\r\n\r\n${value}\r\n`;
  const operations = JSON.stringify({ query: print(UploadFileDocument), variables: { input: { file: null } } });
  const outgoing = request(endpoint, {
    method: 'POST',
    headers: {
      authorization: `Bearer ${accessToken}`,
      'apollo-require-preflight': 'true',
      'content-type': `multipart/form-data; boundary=${boundary}`,
      'content-length': 5_000_000,
    },
  });
  outgoing.on('error', () => undefined); // hanging up is the point
  outgoing.write(field('operations', operations) + field('map', '{"file":["variables.input.file"]}'));
  outgoing.write(
    `--${boundary}\r\nContent-Disposition: form-data; name="file"; filename="half.wav"\r\nContent-Type: audio/wav\r\n\r\n`,
  );
  outgoing.write(Buffer.alloc(1_000_000, 7));
  return () => outgoing.destroy();
}
