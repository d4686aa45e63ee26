import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import { waitFor } from '../../../platform/testing/wait';
import { killProgram, programsOf } from '../testing';
import { ApertiumPipe, type ApertiumPipeOptions } from './apertium-pipe';

/** Answers each request with itself: NUL-separated and unbuffered, as the programs of Apertium are with -z. */
const ECHO = "sed -zu ''";

let directory: string;
beforeEach(() => (directory = mkdtempSync(path.join(os.tmpdir(), 'sauti-pipe-'))));
afterEach(() => rmSync(directory, { recursive: true, force: true }));

function aPipe(stages: string[], options: Partial<ApertiumPipeOptions> = {}): ApertiumPipe {
  return new ApertiumPipe({ stages, deadlineMs: 60_000, idleMs: 60_000, ...options });
}

/** Hangs in its first life and works from the second on. */
const hangsOnce = () =>
  `sh -c 'mkdir ${directory}/seen 2>/dev/null && exec sleep 600; exec ${ECHO.replaceAll("'", '"')}'`;

test('starts nothing before the first request', async () => {
  await using pipe = aPipe([ECHO]);
  expect(pipe.processGroup).toBeUndefined();
  expect(await pipe.run('hello')).toBe('hello');
  expect(pipe.processGroup).toBeGreaterThan(0);
});

test('gives its programs nothing of our environment but the way to them', async () => {
  process.env.SAUTI_SECRET = 'not for programs that read strangers’ texts';
  try {
    await using pipe = aPipe([`sh -c 'env >${directory}/environment; exec sed -zu ""'`]);
    await pipe.run('hello');
    const given = readFileSync(path.join(directory, 'environment'), 'utf8');
    expect(given).toMatch(/^PATH=/m);
    expect(given).toMatch(/^LC_ALL=C.UTF-8$/m);
    expect(given).not.toMatch(/SAUTI/);
  } finally {
    delete process.env.SAUTI_SECRET;
  }
});

test('gives 200 concurrent requests each its own answer', async () => {
  await using pipe = aPipe(['sed -zu s/^/1/', 'sed -zu s/^/2/']);
  const texts = Array.from({ length: 200 }, (_, index) => `text ${index} ${'x'.repeat(index * 7)}`);
  expect(await Promise.all(texts.map((text) => pipe.run(text)))).toEqual(texts.map((text) => `21${text}`));
});

test.each(['cat', 'tee', 'sed'])('recovers when %s, one of its idle programs, is killed', async (program) => {
  await using pipe = aPipe(['cat', 'tee', ECHO]);
  await pipe.run('before');
  const group = pipe.processGroup!;
  killProgram(group, program);
  expect(await pipe.run('after')).toBe('after');
  await waitFor('the old programs to leave', () => programsOf(group).length === 0);
});

test('tries a request again when a program dies under it', async () => {
  await using pipe = aPipe(['cat', hangsOnce()]);
  const answer = pipe.run('hello');
  const group = pipe.processGroup!;
  await waitFor('the program to hang', () => programsOf(group, 'sleep').length > 0);
  killProgram(group, 'sleep');
  expect(await answer).toBe('hello');
});

test('replaces programs that do not answer within the deadline', async () => {
  await using pipe = aPipe([hangsOnce()], { deadlineMs: 300 });
  const answers = Promise.all(['one', 'two', 'three'].map((text) => pipe.run(text)));
  const group = pipe.processGroup!;
  expect(await answers).toEqual(['one', 'two', 'three']);
  await waitFor('the hanging programs to be killed', () => programsOf(group).length === 0);
});

test('does not count the time of answered requests against later ones', async () => {
  const deadlineMs = 500;
  await using pipe = aPipe([ECHO], { deadlineMs });
  await pipe.run('first');
  const group = pipe.processGroup;
  for (const startedAt = performance.now(); performance.now() - startedAt < 2 * deadlineMs;) await pipe.run('next');
  expect(pipe.processGroup).toBe(group);
});

test('fails a text that kills the programs, and only that text', async () => {
  await using pipe = aPipe(['sed -zu /poison/Q']);
  const results = await Promise.allSettled(['one', 'poison', 'two', 'three'].map((text) => pipe.run(text)));
  expect(results).toMatchObject([
    { value: 'one' },
    { reason: { code: 'FAILED' } },
    { value: 'two' },
    { value: 'three' },
  ]);
});

test('never hands an answer to the wrong request when the programs get out of step', async () => {
  await using pipe = aPipe(["sed -zu 's/split/\\x00/'"]);
  const results = await Promise.allSettled(['one', 'a split b', 'two', 'three'].map((text) => pipe.run(text)));
  expect(results).toMatchObject([
    { value: 'one' },
    { reason: { code: 'FAILED' } },
    { value: 'two' },
    { value: 'three' },
  ]);
});

test('tells what the programs complained of', async () => {
  await using pipe = aPipe(["sh -c 'echo no such dictionary >&2'"]);
  await expect(pipe.run('hello')).rejects.toMatchObject({ code: 'FAILED', cause: { message: 'no such dictionary' } });
});

test('lets a caller leave at once and keeps the order for the others', async () => {
  await using pipe = aPipe([hangsOnce()], { deadlineMs: 500 });
  const leaving = new AbortController();
  const left = pipe.run('left', leaving.signal);
  const stayed = pipe.run('stayed');
  leaving.abort(new Error('gone'));
  await expect(left).rejects.toThrow('gone');
  expect(await stayed).toBe('stayed');
});

test('does not write a request whose caller has left before its turn', async () => {
  await using pipe = aPipe([`tee ${directory}/written`]);
  const leaving = new AbortController();
  const first = pipe.run('x'.repeat(30_000)); // fills the window
  const left = pipe.run('unwanted', leaving.signal);
  const last = pipe.run('wanted');
  leaving.abort();
  await expect(left).rejects.toThrow('aborted');
  await Promise.all([first, last]);
  // tee writes to the pipe first and to the file next
  const written = await waitFor(
    'the last request',
    () => /^.*wanted.*$/s.exec(readFileSync(`${directory}/written`, 'utf8'))?.[0],
  );
  expect(written.replace(/x+/, 'x')).toMatch(/^x\[\d+\]\0wanted\[\d+\]\0$/);
});

test('says BUSY when too much is waiting', async () => {
  const pipe = aPipe(['sleep 600']);
  const waiting = Promise.allSettled(Array.from({ length: 202 }, () => pipe.run('x'.repeat(10_000))));
  await expect(pipe.run('x'.repeat(10_000))).rejects.toMatchObject({ code: 'BUSY' });
  await pipe[Symbol.asyncDispose]();
  await waiting;
});

test('ends its programs when idle and starts new ones for the next request', async () => {
  await using pipe = aPipe(['cat', ECHO], { idleMs: 20 });
  const answer = pipe.run('hello');
  const group = pipe.processGroup!;
  await answer;
  await waitFor('the programs to leave', () => programsOf(group).length === 0);
  expect(pipe.processGroup).toBeUndefined();
  expect(await pipe.run('again')).toBe('again');
});

test('closing ends the programs, even hanging ones, and refuses what is left', async () => {
  const pipe = aPipe(['sleep 600']);
  const unanswered = pipe.run('hello');
  const group = pipe.processGroup!;
  const refused = expect(unanswered).rejects.toMatchObject({ code: 'FAILED' });
  await pipe[Symbol.asyncDispose]();
  await refused;
  await waitFor('all programs to be gone', () => programsOf(group).length === 0);
  await expect(pipe.run('late')).rejects.toMatchObject({ code: 'FAILED' });
});
