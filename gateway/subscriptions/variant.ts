import type { Logger } from '../../platform/logger';
import { Cancellation } from '../../platform/cancellation';
import type { PreparedOperation } from '../engine';
import { copyOf, isDataObject } from '../execute/data';
import type { SubgraphAnswer, Transport } from '../fetch/transport';
import type { Generation } from '../generation';
import { answerText } from '../http/send-answer';
import type { Frame } from '../operations/outlet';
import type { Asker } from '../operations/operations';
import type { Reader } from './reader';
import type { ReplayWindow } from './replay-window';
import { extensionsText, type StreamEvent } from './stream-event';

/** What an operation makes of events, the same for all subscribers that asked for the same in the same name. */
export interface VariantOf {
  /** Equal for equal operations with equal variables, of one generation, whose answers may be shared. */
  variantKey: string;
  /** Equal for those whose fetches may leave together. */
  mergeKey: string;
  prepared: PreparedOperation;
  generation: Generation;
  asker: Asker;
}

interface Slot {
  event: StreamEvent;
  frame: Frame | undefined;
}

/**
 * The subscribers of a stream who get the same answers. Each event is answered once for all of them; events are answered
 * at the same time and delivered in order, also when an early one takes longer.
 */
export class Variant {
  /** Subscribers who have everything so far and room for more: they get each answer as soon as it is their turn. */
  readonly live = new Set<Reader>();
  /** All subscribers, those who are behind included. */
  readers = 0;
  private readonly slots: Slot[] = [];
  private readonly left = new Cancellation();

  constructor(
    readonly of: VariantOf,
    private readonly logger: Logger,
    private readonly window: ReplayWindow,
    /** Told when an event has been delivered. */
    private readonly delivered: () => void,
  ) {}

  /** Events that are being answered for the live subscribers. */
  get inFlight(): number {
    return this.slots.length;
  }

  /** Answers an event for the live subscribers; with others' fetches where there are `transports` for that. */
  begin(event: StreamEvent, transports: ReadonlyMap<string, Transport> | undefined): void {
    const slot: Slot = { event, frame: undefined };
    this.slots.push(slot);
    const frame = this.frameOf(event, transports);
    const take = (made: Frame): void => {
      slot.frame = made;
      this.flush();
    };
    if (frame instanceof Promise) void frame.then(take);
    else take(frame);
  }

  /** The answer to an event, made once. */
  frameOf(event: StreamEvent, transports?: ReadonlyMap<string, Transport>): Frame | Promise<Frame> {
    const known = event.frames.get(this);
    if (known) return known;
    const made = this.answer(event, transports).then((frame) => {
      if (!this.left.aborted) this.window.keep(event, this, frame);
      return frame;
    });
    event.frames.set(this, made);
    return made;
  }

  /** What subscribers are told when their stream ends because of an error. */
  failure(error: unknown): Frame {
    const { generation, prepared } = this.of;
    const answer = generation.engine.answerFailure(prepared, this.caller(), error);
    return { payload: `{${answerText(answer)}}`, cursor: undefined };
  }

  /** Nobody waits for answers any more. */
  end(): void {
    this.left.abort(new Error('No subscriber is left.'));
  }

  private caller() {
    return { ...this.of.asker, signal: this.left };
  }

  private async answer(event: StreamEvent, transports: ReadonlyMap<string, Transport> | undefined): Promise<Frame> {
    const { generation, prepared } = this.of;
    try {
      const answer = await generation.engine.answerEvent(prepared, this.caller(), ownCopy(event.answer), transports);
      return { payload: `{${answerText(answer)}${extensionsText(event)}}`, cursor: event.cursor };
    } catch (error) {
      this.logger.error({ error }, 'an event could not be answered');
      const { payload } = this.failure(error);
      return { payload: `${payload.slice(0, -1)}${extensionsText(event)}}`, cursor: event.cursor };
    }
  }

  private flush(): void {
    while (this.slots[0]?.frame) {
      const { event, frame } = this.slots.shift()!;
      for (const reader of this.live) reader.take(event, frame!);
      this.delivered();
    }
  }
}

/** Answering changes what it is given. */
function ownCopy(answer: SubgraphAnswer): SubgraphAnswer {
  return isDataObject(answer.data) ? { ...answer, data: copyOf(answer.data) } : answer;
}
