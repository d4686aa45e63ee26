import { isId } from '../../../platform/ids';
import { isAccountJobKind } from '../../users/privacy/jobs/kinds';

/** Stands for an object of another subgraph, which adds its fields; null when no subgraph owns such an object. */
export function subjectStub(id: string | null): { __typename: 'Media' | 'User'; id: string } | null {
  if (id === null) return null;
  if (isId('med', id)) return { __typename: 'Media', id };
  return isId('usr', id) ? { __typename: 'User', id } : null;
}

/** Stands for a job in the subgraph that owns it. */
export function jobStub(id: string, kind: string): { __typename: 'MediaJob' | 'AccountJob'; id: string } {
  return { __typename: isAccountJobKind(kind) ? 'AccountJob' : 'MediaJob', id };
}
