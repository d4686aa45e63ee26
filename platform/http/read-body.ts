import type { IncomingMessage } from 'node:http';

/** The whole body; null when it is too large or breaks off. One that stops coming for `idleMs` is broken off here. */
export async function readBody(
  request: IncomingMessage,
  { maxBytes, idleMs }: { maxBytes: number; idleMs: number },
): Promise<string | null> {
  const chunks: Buffer[] = [];
  let size = 0;
  const idle = setTimeout(() => request.destroy(), idleMs);
  try {
    // Leaving the loop early must not destroy the request: its connection still carries the answer.
    for await (const chunk of request.iterator({ destroyOnReturn: false }) as AsyncIterable<Buffer>) {
      idle.refresh();
      size += chunk.length;
      if (size > maxBytes) return null;
      chunks.push(chunk);
    }
    return Buffer.concat(chunks).toString('utf8');
  } catch {
    return null; // there is nobody left to answer
  } finally {
    clearTimeout(idle);
  }
}
