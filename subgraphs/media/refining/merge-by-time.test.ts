import fc from 'fast-check';
import type { SegmentRow } from '../records';
import type { PlacedSegment } from '../transcription/transcript-growth';
import { mergeByTime } from './merge-by-time';
import { lengthMs, overlapMs } from './overlap';

/** A word of 100 ms for every letter, beginning where the last one ended. */
function heard(startMs: number, text: string, more: Partial<PlacedSegment> = {}): PlacedSegment {
  const words = text.split(' ').map((word, at) => {
    const wordMs = startMs + at * 100;
    return { text: word, startMs: wordMs, endMs: wordMs + 100, confidence: 0.9 };
  });
  const endMs = words.at(-1)!.endMs;
  return { index: 0, text, startMs, endMs, confidence: 0.9, language: 'en', words, ...more };
}

let count = 0;
function known(startMs: number, text: string, more: Partial<SegmentRow> = {}): SegmentRow {
  const { index: _index, ...content } = heard(startMs, text);
  const about = { transcriptId: 'trn', position: 0, speakerId: 'spk', channel: 0, stableWords: 0, turnEnd: true };
  return { id: `old${count++}`, revision: 3, state: 'FINAL', ...about, ...content, ...more };
}

const merge = (before: readonly SegmentRow[], after: readonly PlacedSegment[]) => {
  let made = 0;
  const rows = before.map((segment, position) => ({ ...segment, position }));
  return mergeByTime(rows, after, { transcriptId: 'trn', speakerId: 'spk', newId: () => `new${made++}` });
};
const shown = ({ segments }: ReturnType<typeof merge>): string[] =>
  segments.map(({ id, revision, text, position }) => `${position} ${id} ${revision} ${text}`);

beforeEach(() => (count = 0));

describe('a second hearing', () => {
  test('gives a known segment what was heard in at least half of both, and its next revision', () => {
    const merged = merge([known(0, 'a b c d')], [heard(200, 'c d e f')]);
    expect(shown(merged)).toEqual(['0 old0 4 c d e f']);
    expect(merged.changed).toEqual(merged.segments);
    expect(merged.segments[0]).toMatchObject({ startMs: 200, endMs: 600, speakerId: 'spk', turnEnd: true });
  });

  test('replaces one that has less than half in common', () => {
    const merged = merge([known(0, 'a b c d')], [heard(201, 'c d e f')]);
    expect(shown(merged)).toEqual(['0 new0 1 c d e f']);
    expect(merged.removedIds).toEqual(['old0']);
  });

  test('changes no revision where it is the same', () => {
    const merged = merge([known(0, 'a b'), known(500, 'c')], [heard(0, 'a b'), heard(500, 'x')]);
    expect(shown(merged)).toEqual(['0 old0 3 a b', '1 old1 4 x']);
    expect(merged.changed.map(({ id }) => id)).toEqual(['old1']);
  });

  test('serves the longest overlap first, and each segment once', () => {
    const merged = merge([known(0, 'a b c d e f'), known(600, 'g h i j')], [heard(100, 'b c d e f g h')]);
    expect(shown(merged)).toEqual(['0 old0 4 b c d e f g h']);
    expect(merged.removedIds).toEqual(['old1']);
    const split = merge([known(0, 'a b c d e f')], [heard(0, 'a b c'), heard(300, 'd e f')]);
    expect(shown(split)).toEqual(['0 old2 4 a b c', '1 new0 1 d e f']);
  });

  test('leaves what a person has corrected, and drops what was heard in its place', () => {
    const edited = known(200, 'right words', { state: 'EDITED', confidence: null });
    const merged = merge([known(0, 'a b'), edited, known(400, 'e f')], [heard(0, 'a b c d e f')]);
    expect(shown(merged)).toEqual(['0 old1 3 a b', '1 old0 3 right words', '2 old2 3 e f']);
  });

  test('keeps a wordless sentence whole, or lets go of it and keeps what nothing else tells', () => {
    const edited = known(0, 'a b c', { state: 'EDITED' });
    const wordless = { words: [] };
    const most = merge([edited, known(300, 'd e')], [heard(0, 'a b c d e', wordless)]);
    expect(shown(most)).toEqual(['0 old0 3 a b c', '1 old1 3 d e']);
    const some = merge([edited, known(300, 'd e f g')], [heard(0, 'a b c d e f g', wordless)]);
    expect(shown(some)).toEqual(['0 old0 3 a b c', '1 old2 4 a b c d e f g']);
  });

  test('does not mix channels', () => {
    const merged = merge([known(0, 'a b', { channel: 1 })], [heard(0, 'a b', { channel: 0 })]);
    expect(shown(merged)).toEqual(['0 new0 1 a b']);
  });
});

describe('whatever was said', () => {
  /** Segments one behind the other, with pauses, as engines give them; letters of their own so that words are told apart. */
  const stretches = (prefix: string, withWords: boolean) =>
    fc
      .array(fc.record({ pauseMs: fc.integer({ min: 0, max: 700 }), words: fc.integer({ min: 1, max: 8 }) }), {
        maxLength: 12,
      })
      .map((all) => {
        let atMs = 0;
        return all.map(({ pauseMs, words }, place) => {
          const startMs = atMs + pauseMs;
          atMs = startMs + words * 100;
          const text = Array.from({ length: words }, (_, at) => `${prefix}${place}.${at}`).join(' ');
          return heard(startMs, text, { index: place, ...(withWords ? {} : { words: [] }) });
        });
      });
  const before = fc
    .tuple(stretches('a', true), fc.array(fc.boolean(), { minLength: 12, maxLength: 12 }))
    .map(([all, edits]) =>
      all.map(({ index, ...content }) =>
        known(0, 'x', { ...content, id: `old${index}`, state: edits[index] ? 'EDITED' : 'FINAL' }),
      ),
    );
  const withWords = stretches('b', true);
  const either = fc.oneof(withWords, stretches('b', false));
  const isEdited = ({ state }: SegmentRow): boolean => state === 'EDITED';
  const bare = ({ position: _position, ...row }: SegmentRow): object => row;

  test('positions are those of time, ids are there once, and each known one is kept or removed', () => {
    fc.assert(
      fc.property(before, either, (old, now) => {
        const { segments, removedIds } = merge(old, now);
        expect(segments.map(({ position }) => position)).toEqual(segments.map((_, index) => index));
        expect(segments.map(({ startMs }) => startMs)).toEqual(segments.map(({ startMs }) => startMs).sort(ascending));
        const ids = segments.map(({ id }) => id);
        expect(new Set(ids).size).toBe(ids.length);
        const kept = ids.filter((id) => id.startsWith('old'));
        expect([...kept, ...removedIds].sort()).toEqual(old.map(({ id }) => id).sort());
      }),
    );
  });

  test('corrected ones stay as they are', () => {
    fc.assert(
      fc.property(before, either, (old, now) => {
        const { segments, changed } = merge(old, now);
        expect(segments.filter(isEdited).map(bare)).toEqual(old.filter(isEdited).map(bare));
        expect(changed.filter(isEdited)).toEqual([]);
      }),
    );
  });

  test('an id stands for at least half of the same time, and nothing that could keep one is given a new one', () => {
    fc.assert(
      fc.property(before, withWords, (old, now) => {
        const { segments, removedIds } = merge(old, now);
        const byId = new Map(old.map((row) => [row.id, row]));
        for (const row of segments) {
          const known = byId.get(row.id);
          if (known) expect(isHalf(known, row)).toBe(true);
        }
        const created = segments.filter(({ id }) => !byId.has(id));
        const removed = removedIds.map((id) => byId.get(id)!);
        expect(removed.filter((row) => created.some((other) => isHalf(row, other)))).toEqual([]);
      }),
    );
  });

  test('every word that was heard is told once, but for those in the place of a correction', () => {
    fc.assert(
      fc.property(before, withWords, (old, now) => {
        const edited = old.filter(isEdited);
        const isDisplaced = ({ startMs }: { startMs: number }): boolean =>
          edited.some((row) => row.startMs <= startMs + 50 && startMs + 50 < row.endMs);
        const told = merge(old, now).segments.filter((row) => !isEdited(row));
        const wanted = now.flatMap(({ words }) => words.filter((word) => !isDisplaced(word)));
        expect(told.flatMap(({ words }) => words)).toEqual(wanted);
        expect(told.map(({ text }) => text).join(' ')).toBe(wanted.map(({ text }) => text).join(' '));
      }),
    );
  });

  test('the revision goes up by one exactly where something differs, and a third hearing of the same changes nothing', () => {
    fc.assert(
      fc.property(before, either, (old, now) => {
        const first = merge(old, now);
        const byId = new Map(old.map((row) => [row.id, row]));
        for (const { position: _position, revision, ...row } of first.segments) {
          const was = byId.get(row.id);
          const isSame = was !== undefined && was.text === row.text && was.startMs === row.startMs;
          expect(revision).toBe(was ? was.revision + (isSame ? 0 : 1) : 1);
        }
        const again = merge(first.segments, now);
        expect(again.segments).toEqual(first.segments);
        expect([again.changed, again.removedIds]).toEqual([[], []]);
      }),
    );
  });

  function isHalf(one: SegmentRow, other: SegmentRow): boolean {
    return overlapMs(one, other) * 2 >= Math.max(lengthMs(one), lengthMs(other));
  }
});

function ascending(one: number, other: number): number {
  return one - other;
}
