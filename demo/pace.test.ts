import { Pace } from './pace';

test('tells how long new words and whole captions take from when their sound was there', async () => {
  let now = 0;
  const pace = new Pace(() => now);
  async function* sound(): AsyncGenerator<Uint8Array> {
    for (now = 1_000; now <= 4_000; now += 1_000) yield new Uint8Array(32_000);
  }
  for await (const _piece of pace.watch(sound()));

  // Its sound had come at 2,000 and 3,000.
  const segment = { id: 'seg_1', state: 'PARTIAL', text: 'one two', endMs: 1_800 };
  now = 2_150;
  pace.arrived(segment);
  now = 2_500;
  pace.arrived({ ...segment, text: 'one too' });
  now = 3_400;
  pace.arrived({ ...segment, text: 'one two three', endMs: 2_900 });
  now = 3_700;
  pace.arrived({ ...segment, text: 'one two three', endMs: 2_900, state: 'FINAL' });
  expect(pace.summary()).toBe(
    '3 words in 4.00 s, 0.8 a second. New words came 0.40 s after they were said (nine in ten within 0.40 s), ' +
      'whole captions 0.70 s after their last word.',
  );
});

test('says nothing where nothing was said', () => {
  const pace = new Pace();
  pace.arrived({ id: 'seg_1', state: 'FINAL', text: '', endMs: 10 });
  expect(pace.summary()).toBe('');
});
