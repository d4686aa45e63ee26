import { describeWhenInstalled, programMissing } from '../../../../platform/testing/installed';
import { decodeRows } from './decode-rows';
import type { AudioRow } from './recognition-records';
import type { RowsEnd } from './row-reader';

const PCM = ['-f', 's16le', '-ar', '48000', '-ac', '1'];

describeWhenInstalled(programMissing('ffmpeg', 'ffmpeg'), 'while rows are decoded', () => {
  // Without its guard this test does not fail: it never ends, like the process it is about.
  test('an abort ends it at once, also while the database has yet to answer', async () => {
    const leaving = new AbortController();
    let answer = (): void => {};
    const answered = new Promise<void>((resolve) => (answer = resolve));
    async function* rows(): AsyncGenerator<AudioRow, RowsEnd, undefined> {
      yield { row: 1, fromByte: 0, bytes: Buffer.alloc(96_000), flush: false };
      await answered;
      return 'paused';
    }
    const options = { format: PCM, skip: 0, flushedRow: 0, signal: leaving.signal };
    const sound = decodeRows(rows(), { ...options, stop: () => setImmediate(answer) });
    let heard = 0;
    const hearing = (async () => {
      for await (const item of sound) {
        if (item.type === 'pcm') heard += item.samples.length;
        if (heard > 12_000) setImmediate(() => leaving.abort(new Error('The worker stops.')));
      }
    })();
    await expect(hearing).rejects.toThrow('The worker stops.');
  });
});
