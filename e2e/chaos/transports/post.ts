import { Agent, request as send } from 'undici';
import { StreamClosed, StreamRefused, type StreamRequest } from './transport';

/** A connection for each stream, as long as it lasts: pauses between two pieces of the body have no limit. */
const agent = new Agent({ pipelining: 0, bodyTimeout: 0, headersTimeout: 30_000 });

export interface StreamResponse {
  contentType: string;
  /** The body's text as it arrives; throws {@link StreamClosed} when it breaks off. */
  text: AsyncGenerator<string, void, void>;
}

/**
 * Posts a subscription and answers the body as it arrives. The cursor travels as the header `Last-Event-ID`.
 * Throws {@link StreamRefused} when the answer is not of the type that was asked for.
 */
export async function postStream(request: StreamRequest, accept: string, signal: AbortSignal): Promise<StreamResponse> {
  const { endpoint, token, query, variables, cursor } = request;
  const { statusCode, headers, body } = await send(endpoint, {
    method: 'POST',
    dispatcher: agent,
    signal,
    headers: {
      accept,
      authorization: `Bearer ${token}`,
      'content-type': 'application/json',
      ...(cursor === undefined ? {} : { 'last-event-id': cursor }),
    },
    body: JSON.stringify({ query, variables }),
  });
  const contentType = String(headers['content-type'] ?? '');
  if (statusCode !== 200 || !contentType.startsWith(accept.split(';')[0]!)) {
    throw new StreamRefused(`${statusCode} ${(await body.text()).slice(0, 300)}`);
  }
  return { contentType, text: textOf(body) };
}

async function* textOf(body: AsyncIterable<Buffer>): AsyncGenerator<string, void, void> {
  const decoder = new TextDecoder();
  try {
    for await (const chunk of body) yield decoder.decode(chunk, { stream: true });
  } catch (error) {
    throw new StreamClosed(null, (error as Error).message);
  }
}
