import { randomUUID } from 'node:crypto';
import type { Subgraph } from '../platform/subgraph/subgraph';
import { probeFfmpeg } from '../subgraphs/media/decoder/ffmpeg';

interface EngineState {
  id: string;
  available: boolean;
  reason: string | null;
}

/** One line for ffmpeg and per speech and translation engine: ready, or why not and what to do. */
export async function describeEngines(subgraphs: readonly Subgraph[]): Promise<string> {
  const ffmpeg = await probeFfmpeg();
  const lines = [
    lineOf({ id: 'ffmpeg', available: ffmpeg.available, reason: ffmpeg.available ? null : ffmpeg.reason }),
  ];
  for (const [name, field] of [
    ['media', 'mediaEngines'],
    ['translation', 'translationEngines'],
  ] as const) {
    const subgraph = subgraphs.find((candidate) => candidate.name === name);
    const identity = { viewer: null, requestId: randomUUID() };
    const result = await subgraph?.execute(
      { query: `{ ${field} { id available reason } }` },
      { identity, signal: AbortSignal.timeout(10_000) },
    );
    for (const engine of (result?.data?.[field] ?? []) as EngineState[]) {
      lines.push(lineOf(engine));
    }
  }
  return `Engines:\n${lines.join('\n')}\n`;
}

function lineOf({ id, available, reason }: EngineState): string {
  return available ? `  ✓ ${id}` : `  ✗ ${id} is not available: ${reason ?? 'unknown'}`;
}
