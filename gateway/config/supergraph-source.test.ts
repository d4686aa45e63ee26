import { mkdtempSync, renameSync, rmSync, symlinkSync, unlinkSync, writeFileSync } from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import type { Logger } from '../../platform/logger';
import { silentLogger } from '../../platform/logger';
import { waitFor } from '../../platform/testing/wait';
import { DEFAULT_SUBGRAPH_SETTINGS } from '../fetch/subgraph-settings';
import { always, aRawSubgraph } from '../testing/raw-subgraph';
import { composedSupergraph, type ComposedSupergraphOptions } from './composed-supergraph';
import { supergraphFile } from './supergraph-file';
import { followSupergraph, type SupergraphSource } from './supergraph-source';

/** A source whose changes a test makes, followed by a gateway that notes what it is handed. */
function followed(options: { update?: (sdl: string) => Promise<void> } = {}) {
  const served: string[] = [];
  const logged: string[] = [];
  const log = (_details: object, message: string): void => void logged.push(message);
  const logger: Logger = { ...silentLogger, info: log, error: log };
  const state = { text: 'first' };
  let change = { to: (_sdl: string): void => {}, failed: (_error: unknown): void => {} };
  const source: SupergraphSource = {
    sdl: state.text,
    read: async () => state.text,
    follow: (given) => void (change = given),
    stop: async () => {},
  };
  const update = options.update ?? (async (sdl: string) => void served.push(sdl));
  const following = followSupergraph(source, update, logger);
  return { state, served, logged, source, following, change: () => change };
}

test('only what differs from the supergraph served is handed on', async () => {
  const { served, change, following, state } = followed();
  change().to('first');
  change().to('second');
  change().to('second');
  await following.reload(); // reads the first again
  expect(served).toEqual(['second', 'first']);
  state.text = 'third';
  await following.reload();
  expect(served).toEqual(['second', 'first', 'third']);
});

test('a supergraph that is refused is logged, and tried again when it is read again', async () => {
  let isBroken = true;
  const served: string[] = [];
  const { logged, following, state } = followed({
    update: async (sdl) => {
      if (isBroken) throw new Error('broken');
      served.push(sdl);
    },
  });
  state.text = 'second';
  await following.reload();
  expect(logged).toEqual(['a new supergraph cannot be served; the one before stays']);
  isBroken = false;
  await following.reload();
  expect(served).toEqual(['second']);
});

test('changes are taken one after the other', async () => {
  const events: string[] = [];
  const { change, following } = followed({
    update: async (sdl) => {
      events.push(`${sdl} begins`);
      await new Promise((resolve) => setImmediate(resolve));
      events.push(`${sdl} ends`);
    },
  });
  change().to('second');
  change().to('third');
  await following.reload();
  expect(events.slice(0, 4)).toEqual(['second begins', 'second ends', 'third begins', 'third ends']);
});

describe('a file', () => {
  const folder = mkdtempSync(path.join(os.tmpdir(), 'sauti-supergraph-'));
  const file = path.join(folder, 'supergraph.graphql');
  afterAll(() => rmSync(folder, { recursive: true }));

  /** What a source tells of. */
  function changesOf(source: SupergraphSource): string[] {
    const seen: string[] = [];
    source.follow({ to: (sdl) => void seen.push(sdl), failed: (error) => void seen.push(String(error)) });
    return seen;
  }

  test('is followed when it is written, replaced, gone for a while, or behind a link that moves', async () => {
    writeFileSync(path.join(folder, 'one'), 'first');
    symlinkSync('one', file);
    const source = await supergraphFile(file, 20);
    expect(source.sdl).toBe('first');
    const seen = changesOf(source);
    try {
      writeFileSync(file, 'written');
      await waitFor('the written one', () => seen.at(-1) === 'written');
      writeFileSync(path.join(folder, 'two'), 'linked');
      symlinkSync('two', path.join(folder, 'new'));
      renameSync(path.join(folder, 'new'), file);
      await waitFor('the linked one', () => seen.at(-1) === 'linked');
      unlinkSync(file);
      await waitFor('the loss', () => seen.at(-1)?.includes('no supergraph at'));
      writeFileSync(file, 'back');
      await waitFor('the one that is back', () => seen.at(-1) === 'back');
    } finally {
      await source.stop();
    }
  });

  test('that is not there is named', async () => {
    await expect(supergraphFile(path.join(folder, 'nothing.graphql'))).rejects.toThrow(
      /nothing\.graphql.*npm run compose/,
    );
  });
});

describe('subgraphs that are asked', () => {
  const sdlOf = (field: string): string => `type Query { ${field}: Int }`;
  const optionsFor = (url: string, options: Partial<ComposedSupergraphOptions> = {}): ComposedSupergraphOptions => ({
    subgraphs: [{ name: 'numbers', url }],
    pollIntervalMs: null,
    settingsOf: () => ({
      ...DEFAULT_SUBGRAPH_SETTINGS,
      headers: { forward: [], set: { 'x-key': 'k' } },
      deadlineMs: { query: 200, mutation: 200 },
      maxAnswerBytes: 100_000,
    }),
    logger: silentLogger,
    ...options,
  });

  test('are composed, with the headers of their settings, and polled', async () => {
    let sdl = sdlOf('one');
    await using raw = await aRawSubgraph((request, response) =>
      always({ data: { _service: { sdl } } })(request, response),
    );
    const source = await composedSupergraph(optionsFor(raw.url, { pollIntervalMs: 20 }));
    try {
      expect(source.sdl).toMatch(/one: Int/);
      expect(raw.requests[0]?.headers['x-key']).toBe('k');
      const seen: string[] = [];
      source.follow({ to: (text) => void seen.push(text), failed: (error) => void seen.push(String(error)) });
      sdl = sdlOf('two');
      await waitFor('the change', () => seen.some((text) => text.includes('two: Int')));
      sdl = 'type Query { broken: Missing }';
      await waitFor('the failure', () => seen.some((text) => text.includes('Missing')));
      sdl = sdlOf('three');
      expect(await source.read()).toMatch(/three: Int/);
    } finally {
      await source.stop();
    }
  });

  test.each<[string, Parameters<typeof aRawSubgraph>[0], RegExp]>([
    ['does not answer', () => {}, /numbers.*did not answer within 200 ms/],
    ['answers with an error', always({ errors: [{ message: 'not for you' }] }), /numbers.*not for you/],
    ['answers with a redirect', (_, response) => response.writeHead(302, { location: 'http://x' }).end(), /status 302/],
    ['does not compose', always({ data: { _service: { sdl: 'type Query { a: Missing }' } } }), /Missing/],
  ])('a subgraph that %s keeps the gateway from starting', async (_, answer, reason) => {
    await using raw = await aRawSubgraph(answer);
    await expect(composedSupergraph(optionsFor(raw.url))).rejects.toThrow(reason);
  });
});
