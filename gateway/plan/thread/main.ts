import { parentPort, workerData } from 'node:worker_threads';
import { loadPlanning, type Planning } from './planning';
import type { LoadReply, PlanJob, PlanReply, ThreadSettings } from './messages';

/** A planning thread: loads one supergraph, then plans one operation after the other. It ends by being terminated. */
function main(settings: ThreadSettings): void {
  let planning: Planning;
  try {
    planning = loadPlanning(settings.sdl);
  } catch (error) {
    return say({ kind: 'unreadable', message: error instanceof Error ? error.message : String(error) });
  }
  parentPort?.on('message', (job: PlanJob) => say(planning.plan(job)));
  say({ kind: 'loaded', description: planning.description });
}

function say(reply: LoadReply | PlanReply): void {
  parentPort?.postMessage(reply);
}

main(workerData as ThreadSettings);
