import { createHash, randomBytes, randomUUID, timingSafeEqual } from 'node:crypto';
import { checkAnswer } from '../answer';
import { SubgraphError, type SubgraphAnswer } from '../transport';
import { AnswerQueue } from './answer-queue';

/** What became of a message: taken; for no subscription that is open; without the right verifier; or not understood. */
export type CallbackOutcome = 'taken' | 'unknown' | 'unproven' | 'malformed';

export interface CallbackSubscriptionOptions {
  /** URL that the id is added to. */
  baseUrl: string;
  heartbeatMs: number;
  maxEventBytes: number;
}

/** A heartbeat may be this late, besides one that may be missing. */
const SLACK_MS = 1_000;
/** A subgraph that sends on without waiting for its answers is given up when this many times what may wait does wait. */
const MAX_FULLNESS = 2;

/**
 * One subscription by Apollo's HTTP callback protocol, as its receiver (apollographql/router,
 * `docs/source/routing/operations/subscriptions/callback-protocol.mdx`): takes what the subgraph sends, in the order in
 * which it was sent. While the consumer is behind, the answer to `next` waits: whoever sends waits for it.
 */
export class CallbackSubscription {
  readonly id = randomUUID();
  readonly verifier = randomBytes(24).toString('base64url');
  readonly maxEventBytes: number;
  readonly queue = new AnswerQueue({ hold: () => this.hold(), release: () => this.release() });
  private readonly options: CallbackSubscriptionOptions;
  private isHeld = false;
  /** Resolved while the queue has room. */
  private room = Promise.resolve();
  private makeRoom = (): void => {};
  private turn: Promise<unknown> = Promise.resolve();
  private heartbeat: NodeJS.Timeout | undefined;
  private isChecked = false;
  private hasEnded = false;

  constructor(options: CallbackSubscriptionOptions) {
    this.options = options;
    this.maxEventBytes = options.maxEventBytes;
  }

  /** What the subgraph is told with the operation. */
  get extension(): object {
    const { baseUrl, heartbeatMs } = this.options;
    return {
      callbackUrl: baseUrl + this.id,
      subscriptionId: this.id,
      verifier: this.verifier,
      heartbeatIntervalMs: heartbeatMs,
    };
  }

  /** The subgraph has answered the operation. Events may have come before; from now on heartbeats are missed. */
  begin(answer: SubgraphAnswer): void {
    if (answer.errors) {
      this.queue.push(answer, 0);
      return this.end();
    }
    if (!this.isChecked)
      return this.end(new SubgraphError('SUBGRAPH_BAD_RESPONSE', 'took a subscription without checking its callback'));
    if (this.hasEnded) return;
    const limitMs = 2 * this.options.heartbeatMs + SLACK_MS;
    this.heartbeat = setTimeout(() => {
      // It may be unable to say anything while it waits for us.
      if (this.isHeld) this.heartbeat?.refresh();
      else this.end(new SubgraphError('SUBGRAPH_UNAVAILABLE', `sent no heartbeat for ${limitMs} ms`));
    }, limitMs);
  }

  /**
   * Takes one message as soon as its body has been read and those that came before it have been taken. Resolves when the
   * next one may come; rejects as the body does.
   */
  async receive(reading: Promise<{ message: unknown; sizeBytes: number }>): Promise<CallbackOutcome> {
    const before = this.turn;
    const taken = reading.then(async ({ message, sizeBytes }) => {
      await before;
      return this.take(message, sizeBytes);
    });
    this.turn = taken.catch(() => {});
    const outcome = await taken;
    const { message } = await reading;
    if (outcome === 'taken' && (message as Message).action === 'next') await this.room;
    return outcome;
  }

  /** Nothing more is taken. */
  end(error?: SubgraphError): void {
    this.hasEnded = true;
    clearTimeout(this.heartbeat);
    this.queue.end(error);
    this.release();
  }

  private take(message: unknown, sizeBytes: number): CallbackOutcome {
    if (!isMessage(message)) return 'malformed';
    if (message.id !== this.id) return 'unknown';
    if (!isEqual(message.verifier, this.verifier)) return 'unproven';
    if (this.hasEnded) return 'unknown';
    this.heartbeat?.refresh();
    if (message.action === 'check') this.isChecked = true;
    else if (message.action === 'next') return this.next(message.payload, sizeBytes);
    else return this.complete(message.errors, sizeBytes);
    return 'taken';
  }

  private next(payload: unknown, sizeBytes: number): CallbackOutcome {
    try {
      this.queue.push(checkAnswer(payload), sizeBytes);
    } catch (error) {
      this.end(error as SubgraphError);
      return 'malformed';
    }
    if (this.queue.fullness > MAX_FULLNESS)
      this.end(new SubgraphError('SUBGRAPH_BAD_RESPONSE', 'sends events without waiting for the answers to them'));
    return 'taken';
  }

  private complete(errors: unknown, sizeBytes: number): CallbackOutcome {
    try {
      const answer = checkAnswer({ errors });
      if (answer.errors) this.queue.push(answer, sizeBytes);
      this.end();
      return 'taken';
    } catch (error) {
      this.end(error as SubgraphError);
      return 'malformed';
    }
  }

  private hold(): void {
    this.isHeld = true;
    this.room = new Promise((resolve) => (this.makeRoom = resolve));
  }

  private release(): void {
    this.isHeld = false;
    this.makeRoom();
  }
}

interface Message {
  action: 'check' | 'next' | 'complete';
  id: unknown;
  verifier: unknown;
  payload?: unknown;
  errors?: unknown;
}

function isMessage(value: unknown): value is Message {
  if (typeof value !== 'object' || value === null) return false;
  const { kind, action } = value as Record<string, unknown>;
  return kind === 'subscription' && (action === 'check' || action === 'next' || action === 'complete');
}

/** In a time that tells nothing about where they differ. */
function isEqual(given: unknown, expected: string): boolean {
  const digest = (text: string): Buffer => createHash('sha256').update(text).digest();
  return typeof given === 'string' && timingSafeEqual(digest(given), digest(expected));
}
