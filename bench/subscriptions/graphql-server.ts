import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import { execute, parse, type DocumentNode, type GraphQLSchema } from 'graphql';
import { useServer } from 'graphql-ws/use/ws';
import { WebSocketServer } from 'ws';
import { answerControl, CONTROL_PATH, type EntityCount, type SourceRequest } from './source-control';
import type { JobLog } from './job-log';

interface Body {
  query: string;
  variables?: { representations?: unknown[] } | null;
}

/** Serves a schema over HTTP and graphql-transport-ws with the usual libraries, and what the benchmark asks of it. */
export function serveGraphql(schema: GraphQLSchema, port: number, log: JobLog, entities: EntityCount): void {
  const documents = new Map<string, DocumentNode>();
  const answer = async ({ query, variables }: Body): Promise<unknown> => {
    if (variables?.representations) {
      entities.entityCalls += 1;
      entities.representations += variables.representations.length;
    }
    const document = documents.get(query) ?? parse(query);
    documents.set(query, document);
    return execute({ schema, document, variableValues: variables ?? {} });
  };
  const respond = async (request: IncomingMessage, response: ServerResponse): Promise<void> => {
    const body = JSON.parse(await textOf(request)) as unknown;
    const result =
      request.url === CONTROL_PATH ? answerControl(log, entities, body as SourceRequest) : await answer(body as Body);
    response.setHeader('content-type', 'application/json');
    response.end(JSON.stringify(result));
  };
  const server = createServer((request, response) => void respond(request, response));
  // As long as the benchmark runs: a connection that is closed while a call is on its way would be a fault of the workload.
  server.keepAliveTimeout = 0;
  useServer({ schema }, new WebSocketServer({ server, path: '/graphql' }));
  server.listen({ port, host: '127.0.0.1', backlog: 4_096 });
}

async function textOf(request: IncomingMessage): Promise<string> {
  let text = '';
  request.setEncoding('utf8');
  for await (const piece of request) text += piece as string;
  return text;
}
