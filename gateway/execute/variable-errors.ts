import { GraphQLError } from 'graphql';

/**
 * What is wrong with a variable, for the client: graphql-js quotes the value, which may be a password that came in the
 * wrong place, or long; here it is told where it is and what was expected there.
 */
export function variableError({ message, nodes, originalError }: GraphQLError): GraphQLError {
  return new GraphQLError(originalError ? withoutValue(message, originalError.message) : message, {
    ...(nodes ? { nodes } : {}),
    extensions: { code: 'BAD_USER_INPUT' },
  });
}

/** `message` is `Variable "$name" got invalid value <value> at "<place>"; <reason>`, where the place is left out for the variable itself. */
function withoutValue(message: string, reason: string): string {
  const name = /^Variable "\$(\w+)" /.exec(message)![1]!;
  const head = message.slice(0, message.length - reason.length - '; '.length);
  const place = new RegExp(` at "(${name}(?:\\.\\w+|\\[\\d+\\])+)"$`).exec(head)?.[1];
  return `Variable "$${name}" got an invalid value${place ? ` at "${place}"` : ''}; ${reasonWithoutValue(reason)}`;
}

/** Reasons of graphql-js' own scalars and enums, of which some quote the value behind a colon or in front. */
function reasonWithoutValue(reason: string): string {
  return reason
    .replace(/(\b[vV]alue)(?: \(.*?\))?: .*$/s, '$1.')
    .replace(/^Value ".*" does not exist in ("\w+" enum\.)/s, 'The value does not exist in $1')
    .replace(/^(Expected type "[^"]+"\.) .*: .*$/s, '$1');
}
