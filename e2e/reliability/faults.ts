import type { ChaosDatabase } from '../chaos/database';
import type { Service } from '../chaos/service';
import type { Fault } from './fault-plan';
import type { Results } from './results';

export interface Kill {
  /** Of the process that was killed; its rows carry it. */
  pid: number;
  /** By the machine's clock, which is the database's, too. */
  atMs: number;
}

/** From when to when the database did not answer. */
export interface Outage {
  fromMs: number;
  toMs: number;
}

export interface Happened {
  kills: Kill[];
  outages: Outage[];
}

interface Stage {
  workers: readonly Service[];
  database: ChaosDatabase;
  results: Results;
  tell: (line: string) => void;
}

/** Lets the faults happen one after the other, each when there are as many results as the plan says. */
export async function letHappen(
  plan: readonly Fault[],
  stage: Stage,
  happened: Happened,
  signal: AbortSignal,
): Promise<void> {
  const crew = new Crew(stage.workers);
  let back = Promise.resolve();
  for (const [index, fault] of plan.entries()) {
    await stage.results.reached(fault.atResult, signal);
    signal.throwIfAborted();
    if (fault.kind === 'kill') await crew.kill(fault, happened.kills);
    else {
      await back; // while it is still on its way up it cannot be stopped again
      back = stopAndReturn(stage.database, happened.outages);
      back.catch(() => undefined); // it is waited for later
      if (!fault.isHurried) await back;
    }
    stage.tell(`fault ${index + 1}: ${fault.kind} at ${stage.results.count} results`);
  }
  await back;
  await crew.allUp();
}

async function stopAndReturn(database: ChaosDatabase, outages: Outage[]): Promise<void> {
  const fromMs = Date.now();
  await database.stopImmediately();
  await database.ready();
  outages.push({ fromMs, toMs: Date.now() });
}

/** The workers, and which of them are up. */
class Crew {
  private readonly up = new Set<Service>();
  private readonly starting = new Map<Service, Promise<void>>();

  constructor(private readonly workers: readonly Service[]) {
    workers.forEach((worker) => this.watchStart(worker));
  }

  async kill({ victim, isHurried }: { victim: number; isHurried: boolean }, kills: Kill[]): Promise<void> {
    const inTurn = [...this.workers.slice(victim), ...this.workers.slice(0, victim)];
    const first = inTurn[0]!;
    const worker = isHurried ? first : (inTurn.find((candidate) => this.up.has(candidate)) ?? first);
    if (!isHurried) await this.starting.get(worker);
    this.up.delete(worker);
    kills.push({ pid: worker.pid, atMs: Date.now() });
    await worker.kill();
    this.watchStart(worker);
  }

  async allUp(): Promise<void> {
    await Promise.all(this.starting.values());
  }

  private watchStart(worker: Service): void {
    const ready = worker.ready().then(() => {
      if (this.starting.get(worker) === ready) this.up.add(worker); // and it was not killed meanwhile
    });
    ready.catch(() => undefined); // it is waited for later
    this.starting.set(worker, ready);
  }
}
