import { MODES } from '../system';
import { openHall, LANGUAGES } from './hall';

describe.each(MODES)('200 who listen to one speaker in ten languages, %s', (mode) => {
  test('are one subscription, one fetch for each event, and one engine call for each language', async () => {
    await using hall = await openHall(mode);
    const { speaker, translator, fetches } = hall;
    const listeners = await hall.listeners();

    const events = ['we', 'we need', 'we need clean', 'we need clean water'].map((text, index) => ({
      text,
      stable: index,
    }));
    for (const [index, { text, stable }] of events.entries()) {
      hall.pass(500);
      speaker.say(text, stable, 'PARTIAL');
      for (const listener of listeners) await listener.has(index + 1);
      expect(fetches).toHaveLength(index + 1);
    }
    speaker.say('We need clean water today.', 5, 'FINAL');
    for (const listener of listeners) await listener.has(events.length + 1);

    expect(speaker.listeners).toBe(1);
    expect(fetches).toHaveLength(events.length + 1);
    const asked = translator.requests.map(({ target, texts }) => `${target}:${texts.join()}`).sort();
    const wanted = ['we', 'we need', 'we need clean', 'We need clean water today.'];
    expect(asked).toEqual(LANGUAGES.flatMap((to) => wanted.map((text) => `${to}:${text}`)).sort());
    listeners.forEach(({ frames }, index) => {
      const to = LANGUAGES[index % LANGUAGES.length];
      expect(frames.at(-1)).toMatchObject({
        data: {
          liveTranscript: {
            segment: {
              revision: 5,
              translation: { text: `${to}:We need clean water today.`, provisional: false, sourceWords: 5 },
            },
          },
        },
      });
    });
  });
});
