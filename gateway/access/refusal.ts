import { GraphQLError } from 'graphql';
import { SIGN_IN_FIRST, type Viewer } from '../../platform/identity/viewer';
import type { Denial } from './denials';

/** The error at what is not for a caller: UNAUTHENTICATED for an anonymous one, else FORBIDDEN. */
export function denialError(denial: Denial, viewer: Viewer | null, path?: readonly (string | number)[]): GraphQLError {
  return new GraphQLError(viewer ? denial.message : SIGN_IN_FIRST, {
    ...(path ? { path } : {}),
    extensions: { code: viewer ? 'FORBIDDEN' : 'UNAUTHENTICATED' },
  });
}

/** The one error of an operation that is refused as a whole: 401 or 403 over HTTP. */
export function refusalError(denial: Denial, viewer: Viewer | null): GraphQLError {
  const { message, extensions } = denialError(denial, viewer);
  return new GraphQLError(message, { extensions: { ...extensions, http: { status: viewer ? 403 : 401 } } });
}
