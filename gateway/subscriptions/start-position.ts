import { GraphQLError } from 'graphql';
import type { EventSource } from '../compile/event-source';
import type { StreamPosition } from '../compile/start-arguments';
import type { OperationPayload } from '../operations/operations';

/** A cursor is no longer than this, in characters. */
const MAX_CURSOR_LENGTH = 512;

/**
 * Where a client wants to start; an error when it cannot: BAD_USER_INPUT, SNAPSHOT_UNSUPPORTED. What it says beside the
 * operation counts more than the arguments of the field.
 */
export function startPosition(
  { extensions }: OperationPayload,
  source: EventSource,
  variables: Record<string, unknown>,
): StreamPosition | GraphQLError {
  const { cursor, snapshot } = extensions ?? {};
  const { field } = source;
  if (cursor !== undefined && cursor !== null && typeof cursor !== 'string')
    return refusal('"extensions.cursor" must be a string.');
  if (snapshot !== undefined && snapshot !== null && typeof snapshot !== 'boolean')
    return refusal('"extensions.snapshot" must be a Boolean.');
  const canBegin = field.start === 'snapshot' || field.askSnapshot !== undefined;
  if (snapshot === true && !canBegin)
    return refusal('This subscription cannot begin with the present state.', 'SNAPSHOT_UNSUPPORTED');
  const given = source.givenStart(variables);
  const after = cursor ?? given.after;
  if (after !== undefined && (after === '' || after.length > MAX_CURSOR_LENGTH)) return foreignCursor();
  const asked = after === undefined && field.askSnapshot !== undefined && (snapshot === true || given.snapshot);
  return { after, snapshot: asked };
}

export function foreignCursor(): GraphQLError {
  return refusal('The cursor is not one of this subscription.');
}

function refusal(message: string, code = 'BAD_USER_INPUT'): GraphQLError {
  return new GraphQLError(message, { extensions: { code } });
}
