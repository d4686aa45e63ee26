import { openTestPlatform, type TestPlatform } from '../../../../platform/testing/platform';
import { waitFor } from '../../../../platform/testing/wait';
import { soundOf, tonesFor } from '../../transcription/testing';
import { aHost, essence, SpokenSession } from './testing';
import { toneEngine } from './tone-engine.testing';

let test_: TestPlatform;
beforeAll(async () => {
  test_ = await openTestPlatform();
});
afterAll(() => test_[Symbol.asyncDispose]());

const TONES = tonesFor(6_000);
const bytesOf = (samples: Int16Array): Uint8Array => new Uint8Array(samples.buffer);
const SPEECH = bytesOf(soundOf(TONES, 0, 6_000));

test('words appear as guesses and become final, with one id, rising revisions and more and more stable words', async () => {
  await using host = aHost(test_.platform, toneEngine());
  void host;
  const session = await SpokenSession.begin(test_.platform);
  for (let from = 0; from < SPEECH.length; from += 3_200) {
    await session.send(SPEECH.subarray(from, from + 3_200));
    await waitFor('the chunk to be heard', async () => {
      const { storedBytes, heardBytes } = await session.row();
      return storedBytes - heardBytes <= 40_000n;
    });
  }
  await session.end();
  await session.until('ENDED');
  console.log(
    JSON.stringify(
      (await session.events()).map((e) =>
        e.type === 'segment.changed'
          ? `${e.segment.id.slice(-4)} ${e.segment.revision} ${e.segment.state} ${e.segment.text} ${e.segment.stableWords}`
          : e,
      ),
      null,
      1,
    ),
  );
  console.log(essence(await session.segments()));
});
