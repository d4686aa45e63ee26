import { MessageType, validateMessage, type Message } from 'graphql-ws';
import { isDeeperThan, MAX_JSON_LEVELS } from '../../platform/json-depth';

/** Reads what a client sent. Throws an `Error` that says what is wrong with it. */
export function readMessage(data: Buffer): Message {
  const message = validateMessage(JSON.parse(data.toString('utf8')));
  if (isDeeperThan(MAX_JSON_LEVELS, keptOf(message)))
    throw new Error(`a payload must not be nested deeper than ${MAX_JSON_LEVELS} levels`);
  return message;
}

/** What is sent back or forwarded of a message. Variables that are too deep refuse one operation only, where they are coerced. */
function keptOf(message: Message): unknown {
  if (message.type === MessageType.Subscribe) return message.payload.extensions;
  return 'payload' in message ? message.payload : undefined;
}
