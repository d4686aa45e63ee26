import { composeServices } from '@apollo/composition';
import { gql } from 'graphql-tag';
import { SautiError } from '../../platform/errors';
import { deriveCallKey, signCallIdentity } from '../../platform/identity/call-identity';
import { silentLogger } from '../../platform/logger';
import { buildSubgraph } from '../../platform/subgraph/build-subgraph';
import { serveSubgraph } from '../../platform/subgraph/serve';
import type { Subgraph, SubgraphCallOptions } from '../../platform/subgraph/subgraph';
import type { GatewayOptions } from '../options';
import { createGateway, type Gateway } from '../server';
import { EventTopic, type TopicEvent } from './event-topic';

const LINKS = `extend schema
  @link(url: "https://specs.apollo.dev/federation/v2.5", import: ["@key", "@shareable", "@composeDirective"])
  @link(url: "https://sauti.dev/specs/streams/v1.0", import: ["@eventStream", "@public"])
  @composeDirective(name: "@eventStream")
  @composeDirective(name: "@public")
directive @eventStream(cursor: String, after: String, start: String = "now", snapshot: String, askSnapshot: String, gap: String, delivery: String = "all", key: String, scope: String = "viewer") on FIELD_DEFINITION
directive @public on FIELD_DEFINITION | OBJECT`;

/** Subscriptions of every kind, and entities of two other subgraphs in their events. */
export const STREAM_TYPES: Record<StreamSubgraph, string> = {
  logs: `${LINKS}
    type Query { head(topic: ID!): Int! }
    type Subscription {
      entries(topic: ID!, after: String, snapshot: Boolean = false): LogEvent!
        @eventStream(cursor: "cursor", after: "after", start: "beginning", snapshot: "isSnapshot", askSnapshot: "snapshot", gap: "LogGap")
      states(topic: ID!, after: String): LogEvent!
        @eventStream(cursor: "cursor", after: "after", start: "snapshot", snapshot: "isSnapshot", gap: "LogGap", delivery: "latest", key: "key")
      since(topic: ID!, after: String): LogEvent! @eventStream(cursor: "cursor", after: "after", gap: "LogGap")
      ticks(topic: ID!): Tick!
      latestTicks(topic: ID!): Tick! @eventStream(delivery: "latest", key: "key")
      news(topic: ID!): Tick! @eventStream(scope: "public")
      own(topic: ID!): Tick! @eventStream(scope: "subscriber")
    }
    union LogEvent = Entry | LogGap
    type Entry { cursor: String!  isSnapshot: Boolean!  n: Int!  key: String!  viewer: String  padding: String!  person: Person!  place: Place! }
    type LogGap { cursor: String!  reason: String!  missed: Int }
    type Tick { n: Int!  key: String!  viewer: String  padding: String!  person: Person!  place: Place! }
    type Person @key(fields: "id") { id: ID!  badge: String @shareable }
    type Place @key(fields: "id") { id: ID! }`,
  people: `${LINKS}
    type Query { people: Int }
    type Person @key(fields: "id") { id: ID!  name: String! @public  nick: String  badge: String @shareable  greeting(to: String = "you"): String  fails: String  held: String  home: Place  seenBy: String }
    type Place @key(fields: "id", resolvable: false) { id: ID! }`,
  places: `${LINKS}
    type Query { places: Int }
    type Place @key(fields: "id") @public { id: ID!  title: String!  country: String! }`,
};

export type StreamSubgraph = 'logs' | 'people' | 'places';
export const STREAM_SUBGRAPHS: readonly StreamSubgraph[] = ['logs', 'people', 'places'];

/** What the subgraphs know and what they were asked. */
export class StreamWorld {
  private readonly topics = new Map<string, EventTopic>();
  /** Subscriptions that were opened, in order. */
  readonly opened: { field: string; topic: string; after: string | null; snapshot: boolean; viewer: string | null }[] =
    [];
  /** Subscriptions open now. */
  open = 0;
  /** Queries that were asked, in order. */
  readonly calls: {
    subgraph: StreamSubgraph;
    query: string;
    variables: Record<string, unknown>;
    viewer: string | null;
  }[] = [];
  /** While it is pending, `Person.held` waits. */
  hold: Promise<void> | undefined;
  /** New subscriptions are refused with this. */
  refusal: SautiError | undefined;
  /** Characters of `padding`. */
  padding = 0;
  sent = 0;

  topic(name: string): EventTopic {
    const topic = this.topics.get(name) ?? new EventTopic(name);
    this.topics.set(name, topic);
    return topic;
  }
}

interface Context {
  world: StreamWorld;
  call: SubgraphCallOptions;
}
type StreamArguments = { topic: string; after?: string | null; snapshot?: boolean };

async function* stream(
  field: string,
  { topic: name, after = null, snapshot = false }: StreamArguments,
  { world, call }: Context,
  begin: 'beginning' | 'snapshot' | 'now',
): AsyncGenerator<Record<string, unknown>, void, void> {
  const { viewer } = call.identity;
  world.opened.push({ field, topic: name, after, snapshot, viewer: viewer?.userId ?? null });
  if (world.refusal) throw world.refusal;
  const topic = world.topic(name);
  const match = after === null ? undefined : /^(.*):(\d+)$/.exec(after);
  if (after !== null && match?.[1] !== name) throw new SautiError('BAD_USER_INPUT', 'This is no cursor of this topic.');
  world.open++;
  try {
    const head = topic.head;
    const item = (event: TopicEvent, isSnapshot: boolean) => {
      world.sent++;
      const cursor = `${name}:${event.seq}`;
      return {
        [field]: {
          __typename: ['entries', 'states', 'since'].includes(field) ? 'Entry' : 'Tick',
          ...event,
          n: event.seq,
          cursor,
          isSnapshot,
        },
      };
    };
    const withState = match === undefined && (snapshot || begin === 'snapshot');
    if (withState) for (const event of topic.present()) yield item(event, true);
    const from = match ? Number(match[2]) : begin === 'beginning' && !withState ? 0 : head;
    for await (const event of topic.read(from, call.signal)) {
      if ('lost' in event)
        yield {
          [field]: {
            __typename: 'LogGap',
            cursor: `${name}:${event.floor}`,
            reason: 'CURSOR_EXPIRED',
            missed: event.lost,
          },
        };
      else yield item(event, false);
    }
  } finally {
    world.open--;
  }
}

const subscription = (field: string, begin: 'beginning' | 'snapshot' | 'now') => ({
  subscribe: (_: unknown, given: StreamArguments, context: Context) => stream(field, given, context, begin),
});
const event = {
  viewer: (_: unknown, __: unknown, { call }: Context) => call.identity.viewer?.userId ?? null,
  padding: (_: unknown, __: unknown, { world }: Context) => 'x'.repeat(world.padding),
  person: ({ n }: { n: number }) => ({ id: `p${n % 3}`, badge: `Badge p${n % 3}` }),
  place: ({ n }: { n: number }) => ({ id: `l${n % 2}` }),
};

const RESOLVERS: Record<StreamSubgraph, object> = {
  logs: {
    Query: { head: (_: unknown, { topic }: { topic: string }, { world }: Context) => world.topic(topic).head },
    Subscription: {
      entries: subscription('entries', 'beginning'),
      states: subscription('states', 'snapshot'),
      since: subscription('since', 'now'),
      ticks: subscription('ticks', 'now'),
      latestTicks: subscription('latestTicks', 'now'),
      news: subscription('news', 'now'),
      own: subscription('own', 'now'),
    },
    LogEvent: { __resolveType: ({ __typename }: { __typename: string }) => __typename },
    Entry: event,
    Tick: event,
  },
  people: {
    Query: { people: () => 3 },
    Person: {
      __resolveReference: ({ id }: { id: string }) => ({
        id,
        name: `Person ${id}`,
        nick: `Nick ${id}`,
        badge: `Badge ${id}`,
      }),
      greeting: ({ id }: { id: string }, { to }: { to: string }) => `${id} greets ${to}`,
      fails: () => {
        throw new SautiError('FORBIDDEN', 'This is private.');
      },
      held: async ({ id }: { id: string }, _: unknown, { world }: Context) => {
        await world.hold;
        return `held ${id}`;
      },
      home: ({ id }: { id: string }) => ({ id: `l${id.slice(1)}` }),
      seenBy: (_: unknown, __: unknown, { call }: Context) => call.identity.viewer?.userId ?? null,
    },
  },
  places: {
    Query: { places: () => 2 },
    Place: { __resolveReference: ({ id }: { id: string }) => ({ id, title: `Place ${id}`, country: 'TZ' }) },
  },
};

function subgraphsOf(world: StreamWorld): Map<StreamSubgraph, Subgraph> {
  return new Map(
    STREAM_SUBGRAPHS.map((name) => {
      const subgraph = buildSubgraph<Context>({
        name,
        typeDefs: STREAM_TYPES[name],
        resolvers: RESOLVERS[name],
        createContext: (call) => ({ world, call }),
        logger: silentLogger,
        ready: async () => {},
      });
      const execute: Subgraph['execute'] = (request, call) => {
        const viewer = call.identity.viewer?.userId ?? null;
        world.calls.push({ subgraph: name, query: request.query, variables: request.variables ?? {}, viewer });
        return subgraph.execute(request, call);
      };
      return [name, { ...subgraph, execute }];
    }),
  );
}

/** Composes the stream subgraphs, with other types in the place of some. */
export function streamSupergraph(
  urls: Partial<Record<StreamSubgraph, string>> = {},
  types: Partial<Record<StreamSubgraph, string>> = {},
): string {
  const result = composeServices(
    STREAM_SUBGRAPHS.map((name) => ({
      name,
      url: urls[name] ?? `http://${name}.invalid/graphql`,
      typeDefs: gql(types[name] ?? STREAM_TYPES[name]),
    })),
  );
  if (result.errors) throw new Error(result.errors.map(({ message }) => message).join('\n'));
  return result.supergraphSdl;
}

const SECRET = 'a secret that only tests know, of decent length';

export interface StreamGateway extends AsyncDisposable {
  gateway: Gateway;
  url: string;
  webSocketUrl: string;
}

export interface RunningStreams extends AsyncDisposable {
  world: StreamWorld;
  supergraphSdl: string;
  urls: Partial<Record<StreamSubgraph, string>>;
  /** Another gateway over the same subgraphs; on the same port as one that has stopped, if that is given. */
  aGateway(options?: Partial<GatewayOptions>, port?: number): Promise<StreamGateway>;
  /** Stops a subgraph, cutting its connections, and starts it again on its port; over HTTP only. */
  kill(name: StreamSubgraph): Promise<void>;
  revive(name: StreamSubgraph): Promise<void>;
}

/** The stream subgraphs, with any number of gateways before them. */
export async function runningStreams(mode: 'in process' | 'over HTTP'): Promise<RunningStreams> {
  const world = new StreamWorld();
  const subgraphs = subgraphsOf(world);
  const served = new Map<StreamSubgraph, { port: number } & AsyncDisposable>();
  const gateways = new Set<StreamGateway>();
  const serve = async (name: StreamSubgraph, port: number): Promise<void> => {
    const callKey = deriveCallKey(SECRET, name);
    const subgraph = subgraphs.get(name)!;
    served.set(name, await serveSubgraph({ subgraph, callKey, host: '127.0.0.1', port, logger: silentLogger }));
  };
  if (mode === 'over HTTP') for (const name of STREAM_SUBGRAPHS) await serve(name, 0);
  const ports = new Map([...served].map(([name, { port }]) => [name, port]));
  const urls = Object.fromEntries([...ports].map(([name, port]) => [name, `http://127.0.0.1:${port}/graphql`]));
  const supergraphSdl = streamSupergraph(urls);
  return {
    world,
    supergraphSdl,
    urls,
    async aGateway(options = {}, port = 0) {
      const gateway = await createGateway({
        supergraphSdl,
        ...(mode === 'in process'
          ? { subgraphs }
          : {
              signCall: (name, identity, body) => signCallIdentity(deriveCallKey(SECRET, name), name, identity, body),
            }),
        logger: silentLogger,
        development: true,
        ...options,
      });
      const { address } = await gateway.listen(port, '127.0.0.1');
      const url = `http://127.0.0.1:${address.port}/graphql`;
      const running: StreamGateway = {
        gateway,
        url,
        webSocketUrl: url.replace('http', 'ws'),
        async [Symbol.asyncDispose]() {
          gateways.delete(running);
          await gateway.stop();
        },
      };
      gateways.add(running);
      return running;
    },
    async kill(name) {
      await served.get(name)?.[Symbol.asyncDispose]();
      served.delete(name);
    },
    revive: (name) => serve(name, ports.get(name)!),
    async [Symbol.asyncDispose]() {
      for (const running of [...gateways]) await running[Symbol.asyncDispose]();
      for (const server of served.values()) await server[Symbol.asyncDispose]();
    },
  };
}
