import { CaptionScreen, type Caption } from './captions';

/** Keeps the rows that a terminal would show, for the two commands that are used. */
class Terminal {
  rows: string[] = [''];
  constructor(
    readonly isTTY: boolean,
    readonly columns = 60,
  ) {}

  write(text: string): boolean {
    for (const [piece, up] of text.matchAll(/\u001b\[(\d+)F\u001b\[0J|\n|[^\n\u001b]+|\u001b\[\d+m/g)) {
      if (up) this.rows.splice(this.rows.length - 1 - Number(up), Infinity, '');
      else if (piece === '\n') this.rows.push('');
      else this.rows[this.rows.length - 1] += piece;
    }
    return true;
  }
  /** Without the empty one in which the cursor stands; what is dimmed lies between `<` and `>`. */
  get shown(): string[] {
    return this.rows.slice(0, -1).map((row) => row.replaceAll('\u001b[2m', '<').replaceAll('\u001b[22m', '>'));
  }
}

function aCaption(caption: Partial<Caption> = {}): Caption {
  const { text = 'the conference has been extended' } = caption;
  return {
    id: 'seg_1',
    state: 'PARTIAL',
    startMs: 500,
    endMs: 2_600,
    stableWords: 2,
    translation: { text: `es ${text}` },
    ...caption,
    text,
  };
}
function screenOn(terminal: Terminal, printsPartials = false): CaptionScreen {
  return new CaptionScreen(terminal as unknown as NodeJS.WriteStream, 'es', printsPartials);
}

test('on a terminal guesses change in place, with words dimmed that may still change', () => {
  const terminal = new Terminal(true);
  const screen = screenOn(terminal);
  screen.line('Session liv_1');
  screen.show(aCaption({ text: 'the', stableWords: 0 }));
  screen.show(aCaption({ text: 'the conference has', stableWords: 2 }));
  expect(terminal.shown).toEqual([
    'Session liv_1',
    '  00:00.5 …          the conference <has>',
    '                     es: <es the conference has>',
  ]);
  screen.show(aCaption({ state: 'FINAL' }));
  screen.show(aCaption({ id: 'seg_2', startMs: 3_500, text: 'this', stableWords: 1 }));
  screen.line('(The sound waits)');
  expect(terminal.shown).toEqual([
    'Session liv_1',
    '  00:00.5 – 00:02.6  the conference has been extended',
    '                     es: es the conference has been extended',
    '(The sound waits)',
    '  00:03.5 …          this',
    '                     es: <es this>',
  ]);
});

test('a line that says what the one above it says is left out', () => {
  const terminal = new Terminal(true);
  const screen = screenOn(terminal);
  const waits = '(The sound waits)';
  for (let time = 0; time < 3; time++) screen.line(waits);
  screen.show(aCaption({ state: 'FINAL' }));
  screen.line(waits);
  expect(terminal.shown.filter((line) => line === waits)).toHaveLength(2);
  expect(terminal.shown.at(-1)).toBe(waits);
});

test('a long guess keeps to one row and shows its newest words', () => {
  const terminal = new Terminal(true, 44);
  screenOn(terminal).show(aCaption({ stableWords: 4, translation: { text: '会议 已经 延长 了 会议 已经' } }));
  expect(terminal.shown).toEqual([
    '  00:00.5 …          has been <extended>',
    '                     es: <延长 了 会议 已经>',
  ]);
});

test('what turned out to be no speech vanishes, and a final is shown once', () => {
  const terminal = new Terminal(true);
  const screen = screenOn(terminal);
  screen.show(aCaption({ text: 'uh' }));
  screen.show(aCaption({ text: '', state: 'FINAL' }));
  expect(terminal.shown).toEqual([]);
  screen.show(aCaption({ id: 'seg_2', state: 'FINAL', translation: null }));
  screen.show(aCaption({ id: 'seg_2', state: 'EDITED' }));
  screen.show(aCaption({ id: 'seg_2' }));
  expect(terminal.shown).toEqual([
    '  00:00.5 – 00:02.6  the conference has been extended',
    '                     es: (no translation)',
  ]);
});

test.each([
  [false, []],
  [true, ['                     … the', '                     … the conference']],
])('elsewhere lines are only added, guesses among them if that is wanted: %s', (printsPartials, guesses) => {
  const terminal = new Terminal(false);
  const screen = screenOn(terminal, printsPartials);
  screen.show(aCaption({ text: 'the' }));
  screen.show(aCaption({ text: 'the conference' }));
  screen.show(aCaption({ state: 'FINAL' }));
  expect(terminal.shown).toEqual([
    ...guesses,
    '  00:00.5 – 00:02.6  the conference has been extended',
    '                     es: es the conference has been extended',
  ]);
});
