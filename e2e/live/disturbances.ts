import type { ChaosDatabase } from '../chaos/database';
import type { Proxy } from '../proxy';
import { descendantsOf, processesMentioning } from '../restarts/processes';
import type { Mode, System } from '../system';

/** Something that breaks, and is there again when `strike` has resolved. */
export interface Disturbance {
  name: string;
  strike(): Promise<unknown>;
}

/** What can break between a microphone and a reader in this mode. */
export function disturbancesOf(
  mode: Mode,
  system: System,
  parts: { audio: Proxy; reader: Proxy; database: ChaosDatabase },
): Disturbance[] {
  const cut = (name: string, proxy: Proxy): Disturbance => ({
    name,
    strike: async () => {
      proxy.cut();
      proxy.restore();
    },
  });
  const kill = (name: string): Disturbance => ({
    name,
    async strike() {
      system.process(name).kill('SIGKILL');
      await system.process(name).ended;
      await system.restart(name);
    },
  });
  const inMode =
    mode === 'apart'
      ? [kill('gateway'), kill('media'), kill('worker')]
      : [kill('start'), { name: 'worker', strike: async () => process.kill(workerOf(system), 'SIGKILL') }];
  const database: Disturbance = {
    name: 'database',
    async strike() {
      await parts.database.kill();
      await parts.database.ready();
    },
  };
  return [cut('audio', parts.audio), cut('reader', parts.reader), ...inMode, database];
}

function workerOf(system: System): number {
  const own = descendantsOf(system.process('start').pid);
  const worker = processesMentioning('worker/main.js').find((pid) => own.includes(pid));
  if (worker === undefined) throw new Error('The worker process was not found.');
  return worker;
}
