import { SautiError } from '../../../platform/errors';
import { hasScope, type Scope } from '../../../platform/identity/scopes';
import { requireViewer, type Viewer } from '../../../platform/identity/viewer';

/** The viewer if it has the scope. Throws UNAUTHENTICATED for an anonymous caller, else FORBIDDEN. */
export function requireScope(viewer: Viewer | null, scope: Scope): Viewer {
  const known = requireViewer(viewer);
  if (hasScope(known, scope)) return known;
  throw new SautiError('FORBIDDEN', `This needs the scope ${scope}, which this session or key does not have.`);
}
