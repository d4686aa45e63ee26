import { isId } from '../../../platform/ids';

/** Stands for an object of another subgraph, which adds its fields; null when no subgraph owns such an object. */
export function subjectStub(id: string | null): { __typename: 'Media'; id: string } | null {
  return id !== null && isId('med', id) ? { __typename: 'Media', id } : null;
}

/** Stands for a job in the subgraph that owns it. */
export function jobStub(id: string): { __typename: 'MediaJob'; id: string } {
  return { __typename: 'MediaJob', id };
}
