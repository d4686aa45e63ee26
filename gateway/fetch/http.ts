import { Readable } from 'node:stream';
import { Pool } from 'undici';
import type { CancelSignal } from '../../platform/cancellation';
import { MULTIPART_BODY } from '../../platform/identity/call-identity';
import { checkAnswer, readAnswer } from './answer';
import { CircuitBreaker } from './breaker';
import { callHeaders, scopeOf } from './caller-identity';
import { ACCEPTED_ENCODINGS } from './decode';
import { forwardedHeaders } from './header-rules';
import { HttpCall, type HttpRequest, type HttpTarget } from './http-call';
import type { HttpTransportOptions } from './http-options';
import { InFlightCalls, type StartCall } from './in-flight';
import { multipartBody, uploadsIn } from './multipart-body';

import { subscriptionSource } from './subscriptions/subscription-sources';
import { ownCall, type SubgraphAnswer, type SubgraphCall, type Transport } from './transport';

/** A host that does not take connections is given up after this, or after the deadline of a query. */
const CONNECT_MS = 2_000;
/**
 * Idle connections are closed before the subgraph does it: Node's servers close them after 5 s. Where a server says how
 * long it keeps them (Keep-Alive: timeout=…), that counts instead.
 */
const KEEP_ALIVE_MS = 4_000;

const ACCEPT = 'application/graphql-response+json, application/json;q=0.9';

/**
 * Reaches a subgraph by HTTP/1.1 POST over a pool of kept connections, and for subscriptions by the protocol of its
 * settings. Built on `undici`, which costs half of what `node:http` does per call (docs/gateway-configuration.md has the
 * figures). Throws when there is no way to its subscriptions.
 */
export function httpTransport(options: HttpTransportOptions): Transport {
  const sender = new HttpSender(options);
  const subscriptions = subscriptionSource(options, sender.target);
  return {
    execute: (call) => sender.execute(call),
    subscribe: (call) => subscriptions.subscribe(call),
    scopeOf: (caller) => scopeOf(options, caller),
    ready: (signal) => sender.probe(signal),
    async dispose() {
      await subscriptions.dispose();
      await sender.dispose();
    },
  };
}

class HttpSender {
  private readonly pool: Pool;
  readonly target: HttpTarget;
  private readonly inFlight = new InFlightCalls<SharedAnswer>();
  /** What every request starts with. */
  private readonly fixedHeaders: readonly string[];
  private readonly jsonHeaders: readonly string[];
  private readonly read: HttpRequest<SubgraphAnswer>['read'];

  constructor(private readonly options: HttpTransportOptions) {
    const { settings, signCall } = options;
    const { origin, pathname, search } = new URL(options.url);
    this.pool = new Pool(origin, {
      connections: settings.connections,
      pipelining: 1,
      connectTimeout: Math.min(CONNECT_MS, settings.deadlineMs.query),
      keepAliveTimeout: KEEP_ALIVE_MS,
      // A call has one deadline for everything; it is kept by the call itself.
      headersTimeout: 0,
      bodyTimeout: 0,
    });
    this.target = {
      pool: this.pool,
      path: pathname + search,
      maxAnswerBytes: settings.maxAnswerBytes,
      breaker: breakerOf(options),
    };
    this.fixedHeaders = ['accept', ACCEPT, ...(settings.compression ? ['accept-encoding', ACCEPTED_ENCODINGS] : [])];
    this.jsonHeaders = ['content-type', 'application/json', ...this.fixedHeaders];
    this.read = (status, text) => readAnswer(status, text, signCall !== undefined);
  }

  execute(call: SubgraphCall): Promise<SubgraphAnswer> {
    if (call.hasUploads) return this.sendUploads(call);
    const body = `${call.operation.bodyStart}${call.variablesText()}}`;
    if (this.options.settings.shareInFlight && call.operation.kind === 'query') return this.share(call, body);
    return send(this.target, this.requestOf(call, body, call.signal, this.read));
  }

  /** Asks for nothing, past the breaker: it must tell how the subgraph is and not how it was. */
  async probe(signal: AbortSignal): Promise<void> {
    const call = ownCall('{ __typename }', 'readiness', signal);
    const request = this.requestOf(call, `${call.operation.bodyStart}{}}`, signal, this.read);
    await send({ ...this.target, breaker: null }, { ...request, retries: 0 });
  }

  dispose(): Promise<void> {
    return this.pool.destroy();
  }

  private requestOf<Value>(
    call: SubgraphCall,
    body: string,
    signal: CancelSignal | undefined,
    read: HttpRequest<Value>['read'],
  ): HttpRequest<Value> {
    const { deadlineMs, retries } = this.options.settings;
    const isMutation = call.operation.kind === 'mutation';
    return {
      headers: this.jsonHeaders.concat(callHeaders(this.options, call, body)),
      body,
      deadlineMs: isMutation ? deadlineMs.mutation : deadlineMs.query,
      retries: isMutation ? 0 : retries,
      signal,
      read,
    };
  }

  /** Equal queries of the same identity that are under way together are sent once. */
  private share(call: SubgraphCall, body: string): Promise<SubgraphAnswer> {
    const { identity, authorization, signal } = call;
    const forwarded = forwardedHeaders(this.options.settings.headers.forward, call);
    const key = JSON.stringify([identity.viewer, authorization ?? null, forwarded]) + body;
    const read = (status: number, text: string): SharedAnswer => new SharedAnswer(text, this.read(status, text));
    const start: StartCall<SharedAnswer> = (resolve, reject) => {
      const sending = new HttpCall(this.target, this.requestOf(call, body, undefined, read), resolve, reject);
      sending.start();
      return sending;
    };
    return this.inFlight.join(key, signal, start).then((shared) => shared.copy());
  }

  private sendUploads(call: SubgraphCall): Promise<SubgraphAnswer> {
    const uploads = uploadsIn(call.variables());
    // JSON has no word for a file: the multipart request writes null where one goes.
    const operations = `${call.operation.bodyStart}${JSON.stringify(uploads.variables)}}`;
    const { headers, chunks } = multipartBody(operations, uploads.files);
    return new Promise((resolve, reject) => {
      const deadline = { start: () => sending.startDeadline(), stop: () => sending.stopDeadline() };
      const sending = new HttpCall(
        this.target,
        {
          headers: [...headers, ...this.fixedHeaders, ...callHeaders(this.options, call, MULTIPART_BODY)],
          body: Readable.from(timed(chunks, deadline), { objectMode: false }),
          deadlineMs: this.options.settings.deadlineMs.mutation,
          retries: 0,
          signal: call.signal,
          read: this.read,
        },
        resolve,
        reject,
      );
      sending.start();
    });
  }
}

/** An answer for several callers, each of which may change its own. */
class SharedAnswer {
  private isTaken = false;

  constructor(
    private readonly text: string,
    private readonly first: SubgraphAnswer,
  ) {}

  copy(): SubgraphAnswer {
    if (this.isTaken) return checkAnswer(JSON.parse(this.text));
    this.isTaken = true;
    return this.first;
  }
}

function send<Value>(target: HttpTarget, request: HttpRequest<Value>): Promise<Value> {
  return new Promise((resolve, reject) => new HttpCall(target, request, resolve, reject).start());
}

function breakerOf({ name, settings, logger, now }: HttpTransportOptions): CircuitBreaker | null {
  const onChange = (state: string): void =>
    logger.warn({ subgraph: name }, `the circuit breaker of a subgraph is now ${state}`);
  return settings.breaker && new CircuitBreaker(settings.breaker, onChange, now);
}

/**
 * The deadline of a call with files runs while the subgraph has to move: until it takes the next piece, and after the
 * last one until it answers. While a file still arrives from the client it stands still.
 */
async function* timed(
  chunks: AsyncIterable<Buffer>,
  deadline: { start(): void; stop(): void },
): AsyncGenerator<Buffer> {
  deadline.stop();
  for await (const chunk of chunks) {
    deadline.start();
    yield chunk;
    deadline.stop();
  }
  deadline.start();
}
