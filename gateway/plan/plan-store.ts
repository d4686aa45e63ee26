import { createHash, randomUUID } from 'node:crypto';
import { mkdir, readdir, readFile, rename, rm, stat, writeFile } from 'node:fs/promises';
import path from 'node:path';
import { Kind, OperationTypeNode, visit } from 'graphql';
import type { Logger } from '../../platform/logger';
import type { OperationRequest } from './keyed-request';

/** Keeps plans between starts. */
export interface PlanStore {
  /** The plans of one supergraph, by its hash. They are read in the background. */
  open(supergraphHash: string): StoredPlans;
}

export interface StoredPlans extends AsyncDisposable {
  /** Settles when what earlier runs have stored is known; never rejects. */
  read: Promise<void>;
  /** The text of a plan; undefined when there is none, or not yet. */
  get(key: string): string | undefined;
  /** Is written soon, and at the latest when disposed. */
  put(key: string, plan: string): void;
}

export interface FilePlanStoreOptions {
  directory: string;
  logger: Logger;
  /** Plans of one supergraph; the oldest go first. Default 1 000. */
  maxPlans?: number;
  /** Characters of the plans of one supergraph; the oldest go first. Default 4 Mi. */
  maxSize?: number;
  /** Supergraphs whose plans are kept, the present one among them. Default 3. */
  maxSupergraphs?: number;
}

const FILE_NAME = /^plans-[0-9a-f]{64}\.txt$/;
const WRITE_DELAY_MS = 2_000;

/**
 * One text file per supergraph: a line that says what it is, then one line per plan, the key's hash and the plan's JSON,
 * which is only parsed when its operation comes. Files that cannot be read are ignored; they are replaced as a whole.
 * Plans hold the literals of operations, so only their owner can read the files.
 */
export function filePlanStore(options: FilePlanStoreOptions): PlanStore {
  return { open: (hash) => openFile(hash, options) };
}

/**
 * Whether a plan may be written down. Its operation is part of it, and what a client writes into a mutation instead of
 * its variables may be a password.
 */
export function mayBeStored({ operation, document }: Pick<OperationRequest, 'operation' | 'document'>): boolean {
  if (operation.operation !== OperationTypeNode.MUTATION) return true;
  let hasText = false;
  visit(document, { [Kind.STRING]: () => void (hasText = true) });
  return !hasText;
}

function openFile(supergraphHash: string, options: FilePlanStoreOptions): StoredPlans {
  const { directory, logger, maxPlans = 1_000, maxSize = 4 * 1024 ** 2, maxSupergraphs = 3 } = options;
  const file = path.join(directory, `plans-${supergraphHash}.txt`);
  const header = `sauti plans 1 ${supergraphHash}`;
  /** In the order of their use, oldest first. */
  let plans = new Map<string, string>();
  let timer: NodeJS.Timeout | undefined;
  let writing: Promise<void> | undefined;
  let isChanged = false;

  const load = async (): Promise<void> => {
    try {
      const stored = parsePlans(await readFile(file, 'utf8'), header);
      plans = new Map([...stored, ...plans]);
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code === 'ENOENT') return;
      logger.warn({ error, file }, 'stored plans cannot be read and are left out');
    }
  };
  const write = async (): Promise<void> => {
    isChanged = false;
    trim(plans, maxPlans, maxSize);
    const temporary = `${file}.${randomUUID()}`;
    try {
      await mkdir(directory, { recursive: true });
      await writeFile(temporary, [header, ...[...plans].map((line) => line.join('\t')), ''].join('\n'), {
        mode: 0o600,
      });
      await rename(temporary, file);
      await removeOldest(directory, maxSupergraphs);
    } catch (error) {
      await rm(temporary, { force: true }).catch(() => {});
      logger.warn({ error, file }, 'plans cannot be stored');
    }
  };
  const flush = async (): Promise<void> => {
    clearTimeout(timer);
    timer = undefined;
    await read;
    while (writing) await writing;
    if (!isChanged) return;
    writing = write().finally(() => (writing = undefined));
    await writing;
  };
  const read = load();

  return {
    read,
    get(key) {
      const hash = hashOf(key);
      const plan = plans.get(hash);
      if (plan === undefined) return undefined;
      plans.delete(hash); // and to the end: it is in use
      plans.set(hash, plan);
      return plan;
    },
    put(key, plan) {
      const hash = hashOf(key);
      plans.delete(hash);
      plans.set(hash, plan);
      isChanged = true;
      timer ??= setTimeout(() => void flush(), WRITE_DELAY_MS).unref();
    },
    [Symbol.asyncDispose]: flush,
  };
}

function parsePlans(text: string, header: string): Map<string, string> {
  const [first, ...lines] = text.split('\n');
  if (first !== header) throw new Error('It does not begin as such a file does.');
  // The last line is empty; without that the file was cut off.
  if (lines.pop() !== '') throw new Error('Its end is missing.');
  return new Map(
    lines.map((line) => {
      const tab = line.indexOf('\t');
      if (tab < 0) throw new Error('A line is neither key nor plan.');
      return [line.slice(0, tab), line.slice(tab + 1)];
    }),
  );
}

/** Removes the plans that were not used for longest until the rest fits. */
function trim(plans: Map<string, string>, maxPlans: number, maxSize: number): void {
  let size = 0;
  for (const plan of plans.values()) size += plan.length;
  for (const [key, plan] of plans) {
    if (plans.size <= maxPlans && size <= maxSize) return;
    plans.delete(key);
    size -= plan.length;
  }
}

async function removeOldest(directory: string, keep: number): Promise<void> {
  const files = (await readdir(directory)).filter((name) => FILE_NAME.test(name));
  const ages = await Promise.all(
    files.map(async (name) => ({ name, writtenAt: (await stat(path.join(directory, name))).mtimeMs })),
  );
  ages.sort((a, b) => b.writtenAt - a.writtenAt);
  for (const { name } of ages.slice(keep)) await rm(path.join(directory, name), { force: true });
}

function hashOf(key: string): string {
  return createHash('sha256').update(key).digest('base64url');
}
