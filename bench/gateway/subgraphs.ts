/**
 * The process that holds all subgraphs. A request body is executed the first time it is seen; from then on its stored
 * bytes are sent at once, straight to the socket, so that the subgraphs are never what limits a gateway.
 */
import net, { type AddressInfo } from 'node:net';
import { buildSubgraphSchema } from '@apollo/subgraph';
import { execute, parse, type GraphQLSchema } from 'graphql';
import { HttpMessages } from './http-messages';
import type { RecordedCall, SubgraphsReply, SubgraphsRequest } from './messages';
import { HOSTILE_SCHEMAS } from './workload/hostile';
import { SUBGRAPH_RESOLVERS } from './workload/resolvers';
import { SUBGRAPH_SCHEMAS } from './workload/schemas';

/** Bodies kept for each subgraph; a workload has a few dozen. */
const MAX_PREPARED = 5_000;

interface State {
  calls: number;
  /** Calls whose body had not been seen before. */
  executed: number;
  /** Set while calls are recorded: each answer then waits this long, so that one level of a plan arrives together. */
  recording: { calls: RecordedCall[]; delayMs: number } | null;
}

const state: State = { calls: 0, executed: 0, recording: null };

async function main(): Promise<void> {
  const schemas: Record<string, string> = { ...SUBGRAPH_SCHEMAS, ...HOSTILE_SCHEMAS };
  const resolvers: Record<string, object> = SUBGRAPH_RESOLVERS;
  const ports: Record<string, number> = {};
  for (const [name, typeDefs] of Object.entries(schemas)) {
    const modules = { typeDefs: parse(typeDefs), resolvers: resolvers[name] ?? {} };
    // The resolvers are a plain table; the library wants its own, stricter type for it.
    ports[name] = await serve(name, buildSubgraphSchema(modules as Parameters<typeof buildSubgraphSchema>[0]));
  }
  process.on('message', (request: SubgraphsRequest) => reply(answerControl(request, ports)));
  process.on('disconnect', () => process.exit(0));
  reply({ kind: 'ready', ports });
}

function answerControl(request: SubgraphsRequest, ports: Record<string, number>): SubgraphsReply {
  if (request.kind === 'record') {
    state.recording = { calls: [], delayMs: request.delayMs };
    return { kind: 'ready', ports };
  }
  const calls = state.recording?.calls ?? [];
  const { calls: count, executed } = state;
  state.recording = null;
  return { kind: 'counted', calls: count, executed, recorded: calls };
}

function serve(name: string, schema: GraphQLSchema): Promise<number> {
  const prepared = new Map<string, Buffer>();
  const server = net.createServer({ noDelay: true }, (socket) => {
    // Answers leave in the order of the requests, as HTTP/1.1 wants it even when a client pipelines.
    let last = Promise.resolve();
    let waiting = 0;
    const messages = new HttpMessages((body) => {
      state.calls += 1;
      const text = body.toString('utf8');
      const known = prepared.get(text);
      if (known && waiting === 0 && !state.recording) return void socket.write(known);
      waiting += 1;
      last = last.then(async () => {
        const bytes = known ?? (await executeBody(schema, text));
        if (!known && prepared.size < MAX_PREPARED) prepared.set(text, bytes);
        await recordCall(name, text);
        socket.write(bytes);
        waiting -= 1;
      });
    });
    socket.on('data', (chunk) => messages.push(chunk));
    socket.on('error', () => socket.destroy());
  });
  return new Promise((resolve) => {
    server.listen(0, '127.0.0.1', () => resolve((server.address() as AddressInfo).port));
  });
}

async function executeBody(schema: GraphQLSchema, text: string): Promise<Buffer> {
  state.executed += 1;
  let result: unknown;
  try {
    const { query, variables } = JSON.parse(text) as { query: string; variables?: Record<string, unknown> | null };
    result = await execute({ schema, document: parse(query), variableValues: variables ?? {} });
  } catch (error) {
    result = { errors: [{ message: (error as Error).message }] };
  }
  const body = Buffer.from(JSON.stringify(result));
  const head = `HTTP/1.1 200 OK\r\ncontent-type: application/json\r\ncontent-length: ${body.length}\r\n\r\n`;
  return Buffer.concat([Buffer.from(head), body]);
}

async function recordCall(subgraph: string, body: string): Promise<void> {
  const { recording } = state;
  if (!recording) return;
  const arrivedAt = performance.now();
  await new Promise((resolve) => setTimeout(resolve, recording.delayMs));
  recording.calls.push({ subgraph, body, arrivedAt, answeredAt: performance.now() });
}

function reply(message: SubgraphsReply): void {
  process.send?.(message);
}

void main();
