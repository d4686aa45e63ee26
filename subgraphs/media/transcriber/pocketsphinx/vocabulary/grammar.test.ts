import { checkGrammar, readGrammar } from './grammar';

/** Every sentence of a graph without loops, by walking it. */
function sentencesOf(grammar: string): string[] {
  const lines = readGrammar(grammar).text.split('\n');
  const steps = lines.flatMap((line) => {
    const [, from, to, word = ''] = /^TRANSITION (\d+) (\d+) \S+ ?(\S+)?$/.exec(line) ?? [];
    return from == null ? [] : [{ from, to: to!, word }];
  });
  const end = lines.find((line) => line.startsWith('FINAL_STATE'))!.split(' ')[1]!;
  const walk = (at: string): string[] =>
    at === end
      ? ['']
      : steps
          .filter(({ from }) => from === at)
          .flatMap(({ to, word }) => walk(to).map((rest) => `${word} ${rest}`.trim()));
  return walk('0').sort();
}

test('a grammar allows what it says: alternatives, groups, options, references and several public rules', () => {
  const grammar = `#JSGF V1.0 UTF-8 en;
    grammar orders; // what may be ordered
    public <order> = [please] (bring | "get me") <thing>;
    /* nothing
       else */
    public <end> = stop <NULL>;
    <thing> = tea | <cold> water;
    <cold> = [cold];`;
  const orders = ['bring', 'get me'].flatMap((verb) =>
    ['tea', 'water', 'cold water'].map((thing) => `${verb} ${thing}`),
  );
  expect(sentencesOf(grammar)).toEqual([...orders, ...orders.map((order) => `please ${order}`), 'stop'].sort());
});

test('a grammar needs neither header nor name, and its words are those of the dictionary', () => {
  expect(sentencesOf("public <a> = O'Clock | Café | import;")).toEqual(["o'clock", 'x-636166c3a9', 'import'].sort());
});

test('a repetition leads back to its beginning', () => {
  const { text } = readGrammar('public <a> = (one | two)+ three;');
  const steps = text
    .match(/^TRANSITION .*$/gm)!
    .map((line) => line.replace(/^TRANSITION (\d+) \d+ \S+ (\S+)$/, '$1 $2'));
  expect(steps).toEqual(expect.arrayContaining(['1 one', '1 two', '2 one', '2 two', '1 three', '2 three']) as string[]);
  expect(steps).not.toContain('0 three');
  expect(readGrammar('public <a> = one* three;').text).toMatch(/^TRANSITION 0 \d+ \S+ three$/m);
});

test('weights are shares of their alternatives, and what has none of it cannot be said', () => {
  const { text } = readGrammar('public <a> = /3/ one | /1/ two | /0/ three;');
  expect(text).toMatch(/^TRANSITION 0 1 0.7500 one$/m);
  expect(text).toMatch(/^TRANSITION 0 2 0.2500 two$/m);
  expect(text).not.toContain('three');
});

const doubling = (first: string) =>
  `<a0> = ${first};` +
  Array.from({ length: 40 }, (_, n) => `<a${n + 1}> = <a${n}> <a${n}>;`).join('') +
  'public <all> = <a40>;';

test.each([
  ['', 1, 'no rule is public'],
  ['<a> = b;', 1, 'no rule is public'],
  ['public <a> = b;\nc', 2, 'a rule must begin with its name'],
  ['public <a> = b', 1, '";" is missing at the end of <a>'],
  ['public <a>\nb;', 2, '"=" is missing behind <a>'],
  ['#JSGF V2.0;\npublic <a> = b;', 1, 'the header must be "#JSGF V1.0;"'],
  ['grammar;\npublic <a> = b;', 1, 'the name of the grammar is missing'],
  ['import <x.y>;\npublic <a> = b;', 1, 'imports are not supported'],
  ['public <a> = b;\n\n<c> = d {tag};', 3, 'tags in braces are not supported'],
  ['public <a> = b /* c;', 1, 'a comment is not closed'],
  ['public <a> = "b;', 1, 'a quotation is not closed'],
  ['public <a> = (b;', 1, '")" is missing'],
  ['public <a> = [b);', 1, '"]" is missing'],
  ['public <a> = b |;', 1, 'an alternative is empty'],
  ['public <a> = ();', 1, 'an alternative is empty'],
  ['public <a> = /2/ b | c;', 1, 'either all alternatives have a weight or none'],
  ['public <a> = /0/ b | /0/ c;', 1, 'all weights are 0'],
  ['public <a> = /x/ b;', 1, 'a weight must be a number'],
  ['public <a> = b;\n<a> = c;', 2, '<a> is defined twice'],
  ['public <a> = b\n<c>;', 2, 'there is no rule <c>'],
  ['public <a> = b;\n<c> = <d>;', 2, 'there is no rule <d>'],
  ['public <a> = <b>;\n<b> = c <a>;', 2, 'recursion is not supported'],
  ['public <a> = b ... c;', 1, '"..." is nothing that can be said'],
  [`public <a> = ${'('.repeat(21)}b${')'.repeat(21)};`, 1, 'nested more than 20 deep'],
  [doubling('b'), 1, 'it is too large'],
  [doubling('<NULL>'), 1, 'it is too large'],
  [`public <a> = ${'[b]'.repeat(1_000)};`, 1, 'it is too large'],
  [`public <a> = ${'b'.repeat(10_000)};`, 1, 'it has 10014 characters'],
])('a grammar like %j is refused with its line', (grammar, line, reason) => {
  expect(checkGrammar(grammar)).toMatch(new RegExp(`^Line ${line} of the grammar: `));
  expect(checkGrammar(grammar)).toContain(reason);
});

test('a good grammar has nothing to be said about', () => {
  expect(checkGrammar('public <a> = yes | no;')).toBeNull();
});
