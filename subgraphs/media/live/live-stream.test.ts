import { mergeTranscript } from '../../../client/transcript-merge';
import { encodeCursor } from '../../../platform/events/topic';
import { newId } from '../../../platform/ids';
import { aViewer, askFor } from '../../../platform/testing/calls';
import { transcriptTopic } from '../events';
import { aScript, openMediaSlice, scripted, wholeStream, type MediaSlice } from '../testing';
import { aLastingWorker, followLive, startLive, takeLive, WrittenLive, type LiveEvent } from './testing-live';

const viewer = aViewer();
let slice: MediaSlice;
let live: WrittenLive;
let id: string;

beforeAll(async () => {
  slice = await openMediaSlice(scripted(aScript()));
  await aLastingWorker(slice, 100);
});
beforeEach(async () => {
  const { session } = await startLive(slice, viewer);
  id = session!.id;
  live = new WrittenLive(slice, id, session!.transcript.id);
});
afterEach(() => live.become({ state: 'ENDED' })); // or the account has too many
afterAll(() => slice[Symbol.asyncDispose]());

/** One after the other, as it is shown to people. */
const told = (events: readonly LiveEvent[]): string[] =>
  events.map((event) => {
    const { segment, session, isSnapshot } = event;
    const when = isSnapshot ? 'now ' : '';
    if (segment) return `${when}${segment.state} "${segment.text}" ${segment.revision}`;
    if (session) return `${when}${session.state}`;
    return event.atMs === undefined ? event.__typename : `${when}${event.speaking ? 'speaks' : 'silent'} ${event.atMs}`;
  });

/** A short session: two sentences, guessed word by word. */
async function speak(): Promise<void> {
  await live.become({ state: 'LIVE' });
  await live.boundary(true, 100);
  await live.say(0, 'One');
  await live.say(0, 'One too');
  await live.say(0, 'One two.', 'FINAL');
  await live.boundary(false, 900);
  await live.say(1, 'Three');
  await live.say(1, 'Three.', 'FINAL');
}
const SPOKEN = [
  ...['WAITING', 'LIVE', 'speaks 100', 'PARTIAL "One" 1', 'PARTIAL "One too" 2', 'FINAL "One two." 3'],
  ...['silent 900', 'PARTIAL "Three" 1', 'FINAL "Three." 2'],
];
const prune = async (upTo: number): Promise<void> => {
  const { name } = transcriptTopic(live.transcriptId);
  await slice.platform.database.prisma
    .$executeRaw`update platform.event set at = now() - interval '8 days' where topic = ${name} and seq <= ${upTo}`;
  await slice.platform.events.prune(7 * 24 * 3_600_000);
};

test('who follows from the start is told everything as it happens, and is done behind the end', async () => {
  const stream = takeLive(slice, viewer, { id });
  await speak();
  await live.become({ state: 'ENDING' });
  await live.end();
  const events = await stream;
  expect(told(events)).toEqual([...SPOKEN, 'ENDING', 'ENDED']);
  expect(events.at(-1)).toMatchObject({ session: { id, title: 'Talk', cursor: events.at(-1)!.cursor } });
  expect(events.at(-1)!.session!.endedAt).not.toBeNull();
});

test('who comes later is told the same, and who comes back, what is behind the cursor', async () => {
  await speak();
  await live.end();
  const events = await takeLive(slice, viewer, { id });
  expect(told(events)).toEqual([...SPOKEN, 'ENDED']);
  expect(events[0]!.session).toMatchObject({ state: 'WAITING', endedAt: null });
  for (const [index, { cursor }] of events.entries())
    expect(await takeLive(slice, viewer, { id, after: cursor })).toEqual(events.slice(index + 1));
});

test('a session that fails is over as well', async () => {
  const stream = takeLive(slice, viewer, { id });
  await live.become({ state: 'FAILED', errorCode: 'INTERNAL', errorMessage: 'It broke.' });
  expect(told(await stream)).toEqual(['WAITING', 'FAILED']);
});

test('sentences come only when they are final', async () => {
  await speak();
  await live.say(2, 'Four');
  const calm = { id, stability: 'SENTENCES' } as const;
  expect(told(await takeLive(slice, viewer, { ...calm, snapshot: true }, 3))).toEqual([
    ...['now LIVE', 'now FINAL "One two." 3', 'now FINAL "Three." 2'],
  ]);
  const stream = takeLive(slice, viewer, calm);
  const ofSnapshot = takeLive(slice, viewer, { ...calm, snapshot: true });
  await live.say(2, 'Four five.', 'FINAL');
  await live.say(2, 'For five.', 'EDITED');
  await live.end();
  const rest = ['FINAL "Four five." 2', 'EDITED "For five." 3', 'ENDED'];
  expect(told(await stream)).toEqual([...SPOKEN.filter((line) => !line.startsWith('PARTIAL')), ...rest]);
  expect(told(await ofSnapshot).slice(-1)).toEqual(['ENDED']);
  expect(told(await ofSnapshot).join()).not.toContain('PARTIAL');
});

test('a snapshot has the session, then each segment once as it is now, then exactly what happens after it', async () => {
  await speak();
  await live.say(2, 'Four');
  const now = ['now LIVE', 'now FINAL "One two." 3', 'now FINAL "Three." 2', 'now PARTIAL "Four" 1'];
  const present = await takeLive(slice, viewer, { id, snapshot: true }, 4);
  expect(told(present)).toEqual(now);
  await live.say(2, 'Four five.', 'FINAL');
  await live.end();
  const rest = ['FINAL "Four five." 2', 'ENDED'];
  expect(told(await takeLive(slice, viewer, { id, after: present[3]!.cursor }))).toEqual(rest);
  const after = { id, after: present[1]!.cursor };
  expect(told(await takeLive(slice, viewer, after))).toEqual([
    ...['now ENDED', 'now FINAL "One two." 3', 'now FINAL "Three." 2', 'now FINAL "Four five." 2'],
  ]);
});

test('a snapshot of a session that has ended is all there is', async () => {
  await speak();
  await live.end();
  const events = await takeLive(slice, viewer, { id, snapshot: true });
  expect(told(events)).toEqual(['now ENDED', 'now FINAL "One two." 3', 'now FINAL "Three." 2']);
  expect(await takeLive(slice, viewer, { id, after: events.at(-1)!.cursor })).toEqual([]);
});

test('a correction made behind the end is told to whom comes later', async () => {
  await speak();
  await live.end();
  const [end] = (await takeLive(slice, viewer, { id })).slice(-1);
  await live.say(1, 'Free.', 'EDITED');
  const correction = ['EDITED "Free." 3'];
  expect(told(await takeLive(slice, viewer, { id }))).toEqual([...SPOKEN, 'ENDED', ...correction]);
  expect(told(await takeLive(slice, viewer, { id, after: end!.cursor }))).toEqual(correction);
});

test('what is no longer kept is told as a gap; who asked for the snapshot gets it instead', async () => {
  await speak();
  const [first] = await takeLive(slice, viewer, { id }, 1);
  await prune(6);
  await live.end();
  const rest = [...SPOKEN.slice(6), 'ENDED'];
  const events = await takeLive(slice, viewer, { id, after: first!.cursor });
  expect(told(events)).toEqual(['StreamGap', ...rest]);
  expect(events[0]).toMatchObject({ reason: 'CURSOR_EXPIRED', missed: 5 });
  expect(told(await takeLive(slice, viewer, { id, after: events[0]!.cursor }))).toEqual(rest);
  expect(told(await takeLive(slice, viewer, { id, after: first!.cursor, snapshot: true }))).toEqual([
    ...['StreamGap', 'now ENDED', 'now FINAL "One two." 3', 'now FINAL "Three." 2'],
  ]);
  await prune(100);
  expect(told(await takeLive(slice, viewer, { id, after: first!.cursor }))).toEqual(['StreamGap']);
});

test('who is cut off again and again while words come loses and repeats nothing', async () => {
  const words = Array.from({ length: 60 }, (_, index) => `word${index}`);
  const speaking = (async () => {
    for (const [index, word] of words.entries())
      await live.say(index >> 2, word, index % 4 === 3 ? 'FINAL' : 'PARTIAL');
    await live.end();
  })();
  const events: LiveEvent[] = [];
  while (events.at(-1)?.session?.state !== 'ENDED') {
    const before = events.at(-1)?.cursor;
    events.push(...(await takeLive(slice, viewer, { id, after: before }, 1 + (events.length % 5))));
  }
  await speaking;
  expect(events).toEqual(await takeLive(slice, viewer, { id }));
  expect(events.flatMap(({ segment }) => segment?.text ?? [])).toEqual(words);
});

test('the transcript’s own stream tells the same segments, and both take the other’s cursors', async () => {
  await speak();
  const transcript = { id: live.transcriptId };
  const stream = wholeStream(slice, viewer, transcript);
  await live.end();
  const events = await stream;
  expect(events.map(({ segment, state }) => segment?.text ?? state)).toEqual([
    ...['One', 'One too', 'One two.', 'Three', 'Three.', 'COMPLETE'],
  ]);
  const mine = await takeLive(slice, viewer, { id });
  expect(told(await takeLive(slice, viewer, { id, after: events[2]!.cursor }))).toEqual([...SPOKEN.slice(6), 'ENDED']);
  const final = mine.find(({ segment }) => segment?.text === 'One two.')!;
  expect(await wholeStream(slice, viewer, { ...transcript, after: final.cursor })).toEqual(events.slice(3));
});

test('who keeps the highest revision of each segment has the transcript, whatever comes when and how often', async () => {
  await speak();
  await live.say(2, 'Hm');
  await live.takeBack(2);
  await live.say(3, 'Four.', 'FINAL');
  await live.end();
  await live.say(0, 'One, two.', 'EDITED');
  const query = 'query Read($id: ID!) { transcript(id: $id) { text } }';
  const read = await askFor<{ transcript: { text: string } }>(slice.subgraph, viewer, query, { id: live.transcriptId });
  expect(read.transcript.text).toBe('One, two.\nThree.\nFour.');
  const segments = (await takeLive(slice, viewer, { id })).flatMap(({ segment }) => segment ?? []);
  const thinned = segments.filter(({ state }) => state !== 'PARTIAL');
  for (const some of [segments, [...segments].reverse(), thinned, [...segments, ...thinned, ...segments]])
    expect(
      mergeTranscript(some)
        .map(({ text }) => text)
        .join('\n'),
    ).toBe(read.transcript.text);
});

describe('one error, and the end:', () => {
  const codeOf = async (stream: ReturnType<typeof followLive>): Promise<unknown> => {
    const { value } = await stream.next();
    expect(await stream.next()).toEqual({ done: true, value: undefined });
    return value!.errors?.map(({ extensions }) => extensions?.['code']);
  };

  test.each([
    ['an id that is none', viewer, () => ({ id: 'nonsense' }), 'NOT_FOUND'],
    ['an unknown session', viewer, () => ({ id: newId('liv') }), 'NOT_FOUND'],
    ['somebody else’s session', aViewer(), () => ({ id }), 'NOT_FOUND'],
    ['nobody', null, () => ({ id }), 'UNAUTHENTICATED'],
    ['what is no cursor', viewer, () => ({ id, after: 'nonsense' }), 'BAD_USER_INPUT'],
    [
      'a cursor of another session',
      viewer,
      () => ({ id, after: encodeCursor(transcriptTopic(newId('trn')), 0) }),
      'BAD_USER_INPUT',
    ],
  ])('%s', async (_what, by, variables, code) => {
    expect(await codeOf(followLive(slice, by, variables()))).toEqual([code]);
  });

  test('a session that goes to somebody else while nothing happens', async () => {
    const stream = followLive(slice, viewer, { id });
    await stream.next();
    const next = codeOf(stream);
    const { prisma } = slice.platform.database;
    await prisma.liveSession.update({ where: { id }, data: { ownerId: aViewer().userId } });
    expect(await next).toEqual(['NOT_FOUND']);
  });
});
