import { SubgraphError, type SubgraphAnswer } from './transport';

/**
 * Reads an HTTP answer. A GraphQL answer may come with a 4xx status (GraphQL over HTTP §6.4); with 5xx it is the failure
 * of a server, and its text is nobody's business. Redirects are never followed: they could lead the gateway to an
 * address that only it can reach. 401 and 403 to a signed call mean that the subgraph does not trust the gateway: told to
 * the client as they are, they would sign a user out. Throws {@link SubgraphError}.
 */
export function readAnswer(status: number, text: string, isSigned: boolean): SubgraphAnswer {
  if (status !== 200) checkStatus(status, isSigned);
  let answer: unknown;
  try {
    answer = JSON.parse(text);
  } catch {
    throw new SubgraphError('SUBGRAPH_BAD_RESPONSE', `answered with status ${status} and something that is not JSON`);
  }
  return checkAnswer(answer);
}

function checkStatus(status: number, isSigned: boolean): void {
  if (status >= 500 || (isSigned && (status === 401 || status === 403)))
    throw new SubgraphError('SUBGRAPH_UNAVAILABLE', `answered with status ${status}`);
  if (status < 200 || (status >= 300 && status < 400))
    throw new SubgraphError('SUBGRAPH_BAD_RESPONSE', `answered with status ${status}`);
}

/** Takes any value for a GraphQL answer or throws; also used for the payloads of a WebSocket. */
export function checkAnswer(answer: unknown): SubgraphAnswer {
  if (typeof answer !== 'object' || answer === null || !('data' in answer || 'errors' in answer)) {
    throw new SubgraphError('SUBGRAPH_BAD_RESPONSE', 'answered with something that is no GraphQL result');
  }
  const { data, errors, extensions } = answer as SubgraphAnswer;
  const told = extensions === undefined ? {} : { extensions };
  if (errors === undefined || errors === null) return { data, ...told };
  if (!Array.isArray(errors)) throw new SubgraphError('SUBGRAPH_BAD_RESPONSE', 'answered with errors that are no list');
  if (!errors.every((error) => typeof error === 'object' && error !== null))
    throw new SubgraphError('SUBGRAPH_BAD_RESPONSE', 'answered with errors that are none');
  return errors.length > 0 ? { data, errors, ...told } : { data, ...told };
}
