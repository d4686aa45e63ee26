import type { Program, Step } from '../compile/program';
import type { Execution } from './execution';
import { runStep } from './fetch-step';

/** Runs the fetches of a program; `done` hears of each as it ends, in the order in which they end. Never rejects. */
export function runProgram(
  { steps, mayShare }: Program,
  execution: Execution,
  done?: (step: Step) => void,
): Promise<void> {
  if (steps.length === 0) return Promise.resolve();
  const [only] = steps;
  if (steps.length === 1 && only) {
    return runStep(only, execution, mayShare).then(() => done?.(only));
  }
  return new Promise((resolve) => {
    const waitsFor = steps.map((step) => step.waitsFor);
    let running = steps.length;
    const end = (step: Step): void => {
      done?.(step);
      for (const next of step.next) if (--waitsFor[next]! === 0) start(steps[next]!);
      if (--running === 0) resolve();
    };
    const start = (step: Step): void => {
      void runStep(step, execution, mayShare).then(() => end(step));
    };
    for (const step of steps) if (step.waitsFor === 0) start(step);
  });
}
