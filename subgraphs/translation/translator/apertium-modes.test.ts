import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import { findRoutes, parseModeName, readModes } from './apertium-modes';

let directory: string;
beforeEach(() => (directory = mkdtempSync(path.join(os.tmpdir(), 'sauti-modes-'))));
afterEach(() => rmSync(directory, { recursive: true, force: true }));

/** Mode files as packages write them, with one existing data file. */
function install(...names: string[]): void {
  writeFileSync(path.join(directory, 'data.bin'), '');
  for (const name of names) {
    const command = `lt-proc '${directory}/data.bin' | apertium-tagger -g $2 '${directory}/data.bin' | vislcg3 --trace | lt-proc $1 '${directory}/data.bin'`;
    writeFileSync(path.join(directory, `${name}.mode`), command);
  }
}

const pairsOf = (modes: readonly { source: string; target: string }[]) =>
  modes.map(({ source, target }) => `${source}>${target}`);

test('reads the first directory that exists', () => {
  install('eng-spa');
  expect(pairsOf(readModes(['/nonexistent/modes', directory]))).toEqual(['en>es']);
  expect(readModes(['/nonexistent/modes'])).toEqual([]);
});

test('maps two- and three-letter names to BCP 47 tags', () => {
  expect(parseModeName('eng-spa')).toEqual({ source: 'en', target: 'es' });
  expect(parseModeName('fr-es')).toEqual({ source: 'fr', target: 'es' });
  expect(parseModeName('nob-swe')).toEqual({ source: 'nb', target: 'sv' });
});

test('leaves out variants, debugging modes and pairs of no use', () => {
  install('eng-spa', 'spa-eng_US', 'eng-spa-tagger', 'eng-hbs', 'README');
  expect(pairsOf(readModes([directory]))).toEqual(['en>es']);
});

test('leaves out pairs whose data are missing or whose mode is not one line', () => {
  install('eng-spa', 'es-eo', 'ca-eo');
  writeFileSync(path.join(directory, 'es-eo.mode'), `lt-proc '${directory}/missing.bin'`);
  writeFileSync(path.join(directory, 'ca-eo.mode'), `lt-proc '${directory}/data.bin' |\nlt-proc -g`);
  expect(pairsOf(readModes([directory]))).toEqual(['en>es']);
});

test('tells each program to flush at NUL and the generator to mark unknown words', () => {
  install('eng-spa');
  const data = `'${directory}/data.bin'`;
  expect(readModes([directory])[0]!.stages).toEqual([
    `lt-proc -z ${data}`,
    `apertium-tagger -z -g  ${data}`,
    'vislcg3 --trace',
    `lt-proc -z -g ${data}`,
  ]);
});

describe('findRoutes', () => {
  const edges = (...pairs: string[]) =>
    pairs.map((pair) => ({ source: pair.split('>')[0]!, target: pair.split('>')[1]! }));
  const routeOf = (pairs: string[], wanted: string) =>
    findRoutes(edges(...pairs)).find(({ source, target }) => `${source}>${target}` === wanted)?.route;

  test('takes the direct pair before a detour', () => {
    expect(routeOf(['en>ca', 'ca>es', 'en>es'], 'en>es')).toEqual(['en', 'es']);
  });

  test('goes through one pivot language, Spanish before others', () => {
    expect(routeOf(['en>ca', 'ca>fr', 'en>es', 'es>fr'], 'en>fr')).toEqual(['en', 'es', 'fr']);
  });

  test('does not go through two, where little of the meaning would be left', () => {
    expect(routeOf(['en>es', 'es>ca', 'ca>oc'], 'en>oc')).toBeUndefined();
  });

  test('never leads back to where it began', () => {
    expect(findRoutes(edges('en>es', 'es>en')).map(({ route }) => route)).toEqual([
      ['en', 'es'],
      ['es', 'en'],
    ]);
  });
});
