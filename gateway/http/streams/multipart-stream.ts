import { farewellError, sharedBytes, type Wire } from './wire';

const BOUNDARY = 'graphql';
/** Written after each part, not before it: clients take a part when they see what ends it. */
const DELIMITER = `\r\n--${BOUNDARY}`;

const nextBytes = sharedBytes(({ payload }) => part(`{"payload":${payload}}`));

/**
 * Subscriptions over multipart HTTP as Apollo's routers and clients speak it
 * (https://www.apollographql.com/docs/graphos/routing/operations/subscriptions/multipart-protocol).
 */
export const MULTIPART: Wire = {
  contentType: `multipart/mixed;boundary="${BOUNDARY}";subscriptionSpec=1.0`,
  begin: () => DELIMITER,
  heartbeat: part('{}'),
  next: (_id, frame) => nextBytes(frame),
  complete: () => '',
  refuse: (_id, errors) => part(JSON.stringify({ payload: { errors } })),
  farewell: (_id, reason, cursor) => part(JSON.stringify({ payload: null, errors: [farewellError(reason, cursor)] })),
  end: () => '--\r\n',
};

/** The content type is written as Apollo's clients for phones look for it: without a charset. */
function part(body: string): string {
  return `\r\ncontent-type: application/json\r\n\r\n${body}${DELIMITER}`;
}
