/**
 * What an access token may be good for. The schema says which scope a field needs (`@requiresScopes`); a session has all
 * that its account's roles give, an API key only those it was made with. docs/auth.md explains each.
 */
export const USER_SCOPES = [
  'account:read',
  'account:write',
  'account:security',
  'media:read',
  'media:write',
  'notifications:read',
  'notifications:write',
] as const;
export const ADMIN_SCOPES = ['admin:users', 'admin:audit', 'admin:credits'] as const;
export type Scope = (typeof USER_SCOPES)[number] | (typeof ADMIN_SCOPES)[number];

/** Roles besides USER, which everybody is. */
export type StoredRole = 'CREATOR' | 'MODERATOR' | 'ADMIN';

/** All scopes of an account with these roles, which sessions get. */
export function scopesOf(roles: readonly StoredRole[]): Scope[] {
  return roles.includes('ADMIN') ? [...USER_SCOPES, ...ADMIN_SCOPES] : [...USER_SCOPES];
}

/** Scopes an API key may have: those of its account but `account:security`, which is for people. */
export function keyScopesOf(roles: readonly StoredRole[]): Scope[] {
  return scopesOf(roles).filter((scope) => scope !== 'account:security');
}

/** Whether the caller has the scope. */
export function hasScope(viewer: { scopes: readonly string[] } | null, scope: Scope): boolean {
  return viewer?.scopes.includes(scope) ?? false;
}
