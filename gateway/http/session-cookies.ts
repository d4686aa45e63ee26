import type { ServerResponse } from 'node:http';
import type { SessionChange } from '../../platform/identity/session-change';
import { HttpError } from './responses';

/**
 * The cookies of a session. With `__Host-` a browser takes them only over HTTPS (or from localhost), for this host alone
 * and all of its paths, so that no other host of the domain can set or read them (RFC 6265bis §4.1.3).
 */
const NAMES = {
  access: '__Host-sauti-access',
  refresh: '__Host-sauti-refresh',
  device: '__Host-sauti-device',
} as const;
const ATTRIBUTES = 'Path=/; HttpOnly; Secure; SameSite=Strict';
/** As long as a device is trusted. */
const DEVICE_MAX_AGE_S = 30 * 24 * 3_600;
/** A longer value is none of ours: whoever sends it gets nowhere. */
const MAX_VALUE_LENGTH = 3_000;

/** What the cookies of a request hold; null without that cookie. */
export interface SessionCookies {
  access: string | null;
  refresh: string | null;
  device: string | null;
}

/** Throws an `HttpError` with 400 when a cookie is there twice: which of them counts would be anybody's guess. */
export function readSessionCookies(header: string | undefined): SessionCookies {
  const found: SessionCookies = { access: null, refresh: null, device: null };
  if (header === undefined || !header.includes('__Host-sauti-')) return found;
  for (const [name, value] of pairsOf(header)) {
    const key = (Object.keys(NAMES) as (keyof SessionCookies)[]).find((each) => NAMES[each] === name);
    if (!key || value === '' || value.length > MAX_VALUE_LENGTH) continue;
    if (found[key] !== null && found[key] !== value)
      throw new HttpError(400, 'BAD_REQUEST', `The cookie ${name} is there twice, with different values.`);
    found[key] = value;
  }
  return found;
}

/** The Cookie header without the cookies of sessions, which no subgraph has to see; undefined when nothing is left. */
export function withoutSessionCookies(header: string): string | undefined {
  if (!header.includes('__Host-sauti-')) return header;
  const others = header.split(';').filter((pair) => !pair.trim().startsWith('__Host-sauti-'));
  return others.length > 0 ? others.join(';').trim() : undefined;
}

/** Writes changes of a session into the head of an answer, each cookie as it was changed last. */
export function cookieWriter(response: ServerResponse, now: () => number = Date.now): (change: SessionChange) => void {
  const cookies = new Map<string, string>();
  const set = (name: string, value: string, maxAgeS: number): void =>
    void cookies.set(name, `${name}=${value}; ${ATTRIBUTES}; Max-Age=${Math.max(0, Math.floor(maxAgeS))}`);
  const until = (instant: string): number => (Date.parse(instant) - now()) / 1_000;
  return (change) => {
    if (response.headersSent) return;
    if (change === 'ended') {
      set(NAMES.access, '', 0);
      set(NAMES.refresh, '', 0);
    } else {
      set(NAMES.access, change.accessToken, until(change.expiresAt));
      set(NAMES.refresh, change.refreshToken, until(change.sessionExpiresAt));
      if (change.deviceToken) set(NAMES.device, change.deviceToken, DEVICE_MAX_AGE_S);
    }
    response.setHeader('set-cookie', [...cookies.values()]);
  };
}

function pairsOf(header: string): (readonly [string, string])[] {
  return header.split(';').map((pair) => {
    const at = pair.indexOf('=');
    return [pair.slice(0, at).trim(), pair.slice(at + 1).trim()] as const;
  });
}
