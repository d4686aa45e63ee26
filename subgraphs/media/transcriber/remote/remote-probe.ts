import { request as send } from 'undici';
import type { Probe } from '../transcriber';
import type { RemoteService } from './remote-call';

/** How long a person who asks which engines there are is kept waiting. */
const PROBE_MS = 3_000;

/**
 * Whether a service answers at all and takes the key. An address that it does not know (404) is fine: whisper.cpp's
 * server has no other than the one for speech. Never throws.
 */
export async function probeRemote(
  { name, variables, dispatcher }: RemoteService,
  { url, headers }: { url: URL; headers: Record<string, string> },
): Promise<Probe> {
  try {
    const { statusCode, body } = await send(url, { headers, dispatcher, signal: AbortSignal.timeout(PROBE_MS) });
    await body.dump({ limit: 64 * 1024 });
    if (statusCode === 401 || statusCode === 403) return no(`${name} refuses the key. Check ${variables.key}.`);
    if (statusCode >= 500) return no(`${name} does not work at the moment (HTTP ${statusCode}).`);
    return { available: true };
  } catch (error) {
    const { code } = error as { code?: unknown };
    const why = typeof code === 'string' ? code : `no answer within ${PROBE_MS / 1_000} s`;
    return no(`${name} cannot be reached (${why}). Check ${variables.url}.`);
  }
}

function no(reason: string): Probe {
  return { available: false, reason };
}
