import { waitFor } from '../../platform/testing/wait';
import type { StreamGateway } from './streams';
import { aRawSocket, type RawSocket } from './socket-client';

export interface StreamFrame {
  data: Record<string, Record<string, unknown>> | null;
  errors?: { message: string; path?: unknown; extensions: { code: string } }[];
  extensions?: { cursor?: string; snapshot?: boolean; gap?: { reason: string; missed: number | null } };
}

/** A subscription on a socket of its own. */
export interface Subscriber {
  socket: RawSocket;
  frames: StreamFrame[];
  /** Errors that refused it. */
  readonly refusal: { message: string; extensions: { code: string } }[] | undefined;
  readonly isComplete: boolean;
  /** Values of one field of the events, in order. */
  values(field: string): unknown[];
  /** The cursor of the last frame that has one. */
  readonly cursor: string | undefined;
  /** Resolves when so many frames are there. */
  has(count: number): Promise<void>;
}

/** Subscribes over graphql-transport-ws; resolves when the subscription is open, refused or over. */
export async function subscribeTo(
  { gateway, webSocketUrl }: Pick<StreamGateway, 'gateway' | 'webSocketUrl'>,
  query: string,
  options: { variables?: object; extensions?: object; authorization?: string; on?: RawSocket; id?: string } = {},
): Promise<Subscriber> {
  const { variables, extensions, authorization, id = 's' } = options;
  const socket =
    options.on ?? (await aRawSocket(webSocketUrl, { init: authorization === undefined ? null : { authorization } }));
  const { subscriptions, delivered } = gateway.subscriptions;
  socket.send({ type: 'subscribe', id, payload: { query, variables, extensions } });
  const find = (type: string) => socket.messages.find((message) => message.type === type && message.id === id);
  const subscriber: Subscriber = {
    socket,
    get frames() {
      return socket.messages
        .filter((message) => message.type === 'next' && message.id === id)
        .map(({ payload }) => payload as StreamFrame);
    },
    get refusal() {
      return find('error')?.payload as Subscriber['refusal'];
    },
    get isComplete() {
      return find('complete') !== undefined;
    },
    values: (field) => subscriber.frames.flatMap(({ data }) => Object.values(data ?? {}).map((event) => event[field])),
    get cursor() {
      return subscriber.frames.findLast((frame) => frame.extensions?.cursor !== undefined)?.extensions?.cursor;
    },
    has: (count) => waitFor(`${count} frames`, () => subscriber.frames.length >= count || undefined).then(() => {}),
  };
  await waitFor(
    'the subscription',
    () =>
      gateway.subscriptions.subscriptions > subscriptions ||
      gateway.subscriptions.delivered > delivered ||
      subscriber.refusal ||
      subscriber.isComplete,
  );
  return subscriber;
}
