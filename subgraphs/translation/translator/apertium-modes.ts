import { createHash } from 'node:crypto';
import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { stat } from 'node:fs/promises';
import path from 'node:path';
import type { TranslatorPair } from './translator';

/** One direction of one installed Apertium language pair. */
export interface Mode {
  /** File name without `.mode`, e.g. `eng-spa`. */
  name: string;
  source: string;
  target: string;
  /** The programs of the pipe with their arguments, as shell words, each told to flush at a NUL byte. */
  stages: readonly string[];
}

/** Installed but of no use: eng-hbs answers with lemmas and marks ("The #lekar") instead of sentences. */
const UNUSABLE = new Set(['eng-hbs']);

/** chrF2 on the Asterisk prompts: en→es→fr 40.0, en→ca→fr 36.1; so Spanish first, then English, then by name. */
const PREFERRED_PIVOTS = ['es', 'en'];

/**
 * Reads the installed pairs from the first directory that exists. Variants (`spa-eng_US`), debugging modes
 * (`eng-spa-tagger`) and pairs whose data files are missing (Debian's `es-eo`) are left out.
 */
export function readModes(directories: readonly string[]): Mode[] {
  const directory = directories.find((candidate) => existsSync(candidate));
  if (!directory) return [];
  const modes = readdirSync(directory)
    .filter((file) => file.endsWith('.mode'))
    .sort()
    .map((file) => readMode(directory, file.slice(0, -'.mode'.length)));
  return modes.filter((mode) => mode !== null);
}

/** The BCP 47 tags of a mode name (`eng-spa` → en, es; `fr-es` → fr, es), or null if it does not name a plain pair. */
export function parseModeName(name: string): { source: string; target: string } | null {
  const [source, target, ...rest] = name.split('-');
  if (!source || !target || rest.length > 0 || UNUSABLE.has(name)) return null;
  if (![source, target].every((code) => /^[a-z]{2,3}$/.test(code))) return null;
  return { source: canonicalTag(source), target: canonicalTag(target) };
}

/**
 * All pairs that can be translated directly or through one pivot language; the shortest route wins, then the preferred
 * pivot.
 */
export function findRoutes(modes: readonly { source: string; target: string }[]): TranslatorPair[] {
  const targetsOf = new Map<string, Set<string>>();
  for (const { source, target } of modes) targetsOf.set(source, (targetsOf.get(source) ?? new Set()).add(target));

  const routes = new Map<string, TranslatorPair>();
  const add = (route: string[]): void => {
    const [source, target] = [route[0]!, route.at(-1)!];
    if (source !== target && !routes.has(`${source}>${target}`))
      routes.set(`${source}>${target}`, { source, target, route });
  };
  for (const [source, targets] of targetsOf) for (const target of targets) add([source, target]);
  for (const [source, targets] of targetsOf) {
    for (const pivot of [...targets].sort(byPivotPreference)) {
      for (const target of targetsOf.get(pivot) ?? []) add([source, pivot, target]);
    }
  }
  return [...routes.values()];
}

/** Changes with the commands of these modes and the data files they name (size and time of change): 12 hex digits. */
export async function fingerprintOf(modes: readonly Mode[]): Promise<string> {
  const hash = createHash('sha256');
  for (const stage of modes.flatMap(({ stages }) => stages)) {
    hash.update(`${stage}\n`);
    for (const file of dataFilesOf(stage)) {
      const { size, mtimeMs } = await stat(file);
      hash.update(`${size} ${mtimeMs}\n`);
    }
  }
  return hash.digest('hex').slice(0, 12);
}

/** The canonical form of a well-formed tag: `spa` → `es`, `PT-br` → `pt-BR`, `hbs` → `sr-Latn` (CLDR's aliases). */
function canonicalTag(tag: string): string {
  return Intl.getCanonicalLocales(tag)[0]!;
}

function readMode(directory: string, name: string): Mode | null {
  const languages = parseModeName(name);
  if (!languages) return null;
  const command = readFileSync(path.join(directory, `${name}.mode`), 'utf8').trim();
  if (command === '' || command.includes('\n') || !dataFilesOf(command).every((file) => existsSync(file))) return null;
  return { name, ...languages, stages: command.split('|').map(flushingStage) };
}

function dataFilesOf(command: string): string[] {
  return [...command.matchAll(/'([^']+)'/g)].map((match) => match[1]!);
}

/** `$1` is the generator's switch (-g marks unknown words), `$2` the tagger's; -z asks for a flush at each NUL byte. */
function flushingStage(stage: string): string {
  const command = stage.trim().replaceAll('$2', '').replaceAll('$1', '-g');
  const flushesUnasked = /^(vislcg3|cg-mwesplit|hfst-tokeni[sz]e)\b/.test(command);
  return flushesUnasked ? command : command.replace(/^\S+/, '$& -z');
}

function byPivotPreference(a: string, b: string): number {
  const rank = (tag: string): number =>
    PREFERRED_PIVOTS.includes(tag) ? PREFERRED_PIVOTS.indexOf(tag) : PREFERRED_PIVOTS.length;
  return rank(a) - rank(b) || a.localeCompare(b, 'en');
}
