import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import { execute, parse, type DocumentNode, type GraphQLSchema } from 'graphql';
import { useServer } from 'graphql-ws/use/ws';
import { WebSocketServer } from 'ws';
import { answerControl, CONTROL_PATH, type EntityCount, type SourceRequest } from './source-control';
import type { JobLog } from './job-log';

interface Body {
  query: string;
  variables?: Record<string, unknown> | null;
}

/**
 * Serves a schema over HTTP and graphql-transport-ws with the usual libraries, and what the benchmark asks of it. Resolves
 * when it listens; a port that is taken ends the process.
 */
export function serveGraphql(schema: GraphQLSchema, port: number, log: JobLog, entities: EntityCount): Promise<void> {
  const documents = new Map<string, DocumentNode>();
  const answer = async ({ query, variables }: Body): Promise<unknown> => {
    if (query.includes('_entities')) {
      entities.entityCalls += 1;
      // A gateway that puts several calls into one has a variable for the representations of each.
      for (const value of Object.values(variables ?? {}))
        if (Array.isArray(value)) entities.representations += value.length;
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
  const server = createServer((request, response) => {
    respond(request, response).catch((error: Error) => {
      response.statusCode = 400;
      response.end(JSON.stringify({ errors: [{ message: error.message }] }));
    });
  });
  // As long as the benchmark runs: a connection that is closed while a call is on its way would be a fault of the workload.
  server.keepAliveTimeout = 0;
  useServer({ schema }, new WebSocketServer({ server, path: '/graphql' }));
  return new Promise((resolve) => server.listen({ port, host: '127.0.0.1', backlog: 4_096 }, resolve));
}

async function textOf(request: IncomingMessage): Promise<string> {
  let text = '';
  request.setEncoding('utf8');
  for await (const piece of request) text += piece as string;
  return text;
}
