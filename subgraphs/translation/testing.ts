import { execFileSync } from 'node:child_process';
import { existsSync } from 'node:fs';
import { orAborted } from '../../platform/or-aborted';
import {
  TranslatorError,
  type Probe,
  type TranslateRequest,
  type TranslateResult,
  type Translator,
  type TranslatorPair,
} from './translator/translator';

export const MODE_DIRECTORY = '/usr/share/apertium/modes';

/** Why tests with the real engine cannot run here, or null. */
export const apertiumMissing = ['eng-spa', 'spa-eng'].every((mode) => existsSync(`${MODE_DIRECTORY}/${mode}.mode`))
  ? null
  : 'Apertium is not here. Install it with: apt-get install apertium apertium-eng-spa';

/** An engine that comes in through the same argument as the real one and keeps what it was asked. */
export class WrittenTranslator implements Translator {
  readonly info = { id: 'written', local: true, maxCharacters: 100_000 };
  readonly requests: TranslateRequest[] = [];
  state: Probe = { available: true };
  /** What it calls its version. */
  data = '1';
  /** Thrown by the next translations, if set. */
  failure: TranslatorError | null = null;
  /** Calls with this text fail as a whole. */
  unable: string | null = null;
  /** While it is pending, translations wait. */
  hold: Promise<void> | null = null;

  #offered: string[][];

  /** `routes` may be changed later, as when a language pair is installed; the next probe finds it. */
  constructor(
    public routes: string[][] = [
      ['en', 'es'],
      ['es', 'en'],
    ],
  ) {
    this.#offered = routes;
  }

  async probe(): Promise<Probe> {
    this.#offered = this.routes;
    return this.state;
  }

  pairs(): TranslatorPair[] {
    if (!this.state.available) return [];
    return this.#offered.map((route) => ({ source: route[0]!, target: route.at(-1)!, route }));
  }

  async version(): Promise<string> {
    return this.data;
  }

  /** "Hello" into Spanish is "es:Hello"; words that begin with x are unknown. */
  async translate(request: TranslateRequest): Promise<TranslateResult> {
    this.requests.push(request);
    if (this.hold) await orAborted(this.hold, request.signal ?? new AbortController().signal);
    if (this.failure) throw this.failure;
    if (this.unable && request.texts.includes(this.unable)) throw new TranslatorError('FAILED', 'It failed.');
    return {
      texts: request.texts.map((text) => `${request.target}:${text}`),
      unknownWords: request.texts.map((text) => text.match(/\bx\w*/g) ?? []),
    };
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.state = { available: false, reason: 'closed' };
  }
}

/** Ids of the shells that a process has started, one for each warm pair; each leads a process group. */
export function shellsOf(pid: number): number[] {
  return runOrNothing('pgrep', ['-P', String(pid), '-x', 'sh']).map(Number);
}

/** Kills the programs of this name in one process group. */
export function killProgram(group: number, name: string): void {
  runOrNothing('pkill', ['-KILL', '-g', String(group), '-x', name]);
}

/** Ids of the processes of a group, or of those with this program name. */
export function programsOf(group: number, name?: string): number[] {
  return runOrNothing('pgrep', ['-g', String(group), ...(name ? ['-x', name] : [])]).map(Number);
}

/** pgrep and pkill answer 1 when nothing matches. */
function runOrNothing(program: string, args: string[]): string[] {
  try {
    return execFileSync(program, args, { encoding: 'utf8' })
      .split('\n')
      .filter((line) => line !== '');
  } catch {
    return [];
  }
}
