import { randomUUID } from 'node:crypto';
import type { Subgraph } from '../platform/subgraph/subgraph';

interface EngineState {
  id: string;
  available: boolean;
  reason: string | null;
}

/** One line per speech and translation engine: ready, or why not and what to do. */
export async function describeEngines(subgraphs: readonly Subgraph[]): Promise<string> {
  const lines: string[] = [];
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
      lines.push(
        `  ${engine.available ? '✓' : '✗'} ${engine.id}${engine.available ? '' : ` is not available: ${engine.reason ?? 'unknown'}`}`,
      );
    }
  }
  return lines.length > 0 ? `Engines:\n${lines.join('\n')}\n` : '';
}
