import { copyOf, isDataObject } from '../../execute/data';
import { SubgraphError, type SubgraphAnswer, type SubgraphCall, type Transport } from '../../fetch/transport';
import { splitAnswer, type SplitAnswer } from './split-answer';
import { Waiting, jointSignal } from './waiting';
import { distinctCalls, type DistinctCall } from './distinct-calls';
import type { EntitiesOperation } from './operation';
import { joinLists, type Representations } from './representations';
import type { MergedRequest } from './requests';
import { shapeCalls, type ShapedCalls } from './shapes';

/** What is kept for all events. */
export interface Merging {
  prepare: (query: string) => EntitiesOperation | undefined;
  requestsFor: (calls: ShapedCalls) => readonly MergedRequest[];
}

/** A distinct call that can be merged. */
interface MergeableCall extends DistinctCall {
  operation: EntitiesOperation;
}

/**
 * For how many events an operation stays alone after a request with it failed as a whole, and its fields by themselves
 * after an error in them emptied what others had selected. It may have been a passing fault: so not for ever. A request
 * in vain every 17 events is cheap, and fields by themselves cost next to nothing.
 */
const TIMES_ALONE = 16;
const TIMES_APART = 1_000;

/** The calls to one subgraph that one event causes. */
export class MergedCalls {
  private waiting: Waiting[] = [];

  constructor(
    private readonly transport: Transport,
    private readonly merging: Merging,
  ) {}

  execute(call: SubgraphCall): Promise<SubgraphAnswer> {
    if (call.operation.kind !== 'query' || call.hasUploads) return this.transport.execute(call);
    return new Promise((resolve, reject) => {
      // Everybody who can go on does so in microtasks, and these are done before the next immediate.
      if (this.waiting.push(new Waiting(call, resolve, reject)) === 1) setImmediate(() => this.flush());
    });
  }

  private flush(): void {
    const askers = this.waiting.filter(({ isGone }) => !isGone);
    this.waiting = [];
    const [only, ...others] = askers;
    if (only && others.length === 0) return void this.sendAlone({ askers: [only] });
    try {
      for (const calls of distinctCalls(askers, this.transport)) this.sendTogether(calls);
    } catch (error) {
      for (const asker of askers) asker.fail(error);
    }
  }

  private sendTogether(calls: readonly DistinctCall[]): void {
    const mergeable: MergeableCall[] = [];
    for (const call of calls) {
      const operation = calls.length > 1 ? this.merging.prepare(call.query) : undefined;
      if (!operation) void this.sendAlone(call);
      else if (operation.times.alone > 0) void this.sendByItself(call, operation);
      else mergeable.push({ ...call, operation });
    }
    if (mergeable.length > 0) this.merge(mergeable.sort(byText));
  }

  /** Sends a call that has made a request fail as a whole before; while it goes on failing it stays alone. */
  private async sendByItself(call: DistinctCall, { times }: EntitiesOperation): Promise<void> {
    times.alone--;
    if ((await this.sendAlone(call)) === 'no data') times.alone = TIMES_ALONE;
  }

  private merge(calls: readonly MergeableCall[]): void {
    const shaped = shapeCalls(
      calls.map(({ operation, variablesText }) => {
        const isApart = operation.times.apart > 0;
        if (isApart) operation.times.apart--;
        return { operation, variablesText, isApart };
      }),
    );
    for (const request of this.merging.requestsFor(shaped)) void this.sendMerged(request, calls, shaped);
  }

  /** Never rejects. */
  private async sendMerged(
    request: MergedRequest,
    all: readonly MergeableCall[],
    { lists, values }: ShapedCalls,
  ): Promise<void> {
    const calls = new Map(request.calls.map((index) => [index, all[index]!]));
    const [first, ...others] = calls.values();
    if (!first || others.length === 0) return void (first && this.sendAlone(first));
    const askers = [...calls.values()].flatMap((call) => call.askers);
    try {
      const joined = joinLists(request, lists);
      const text = variablesTextOf(request, joined, values);
      const answer = await this.transport.execute({
        ...first.askers[0]!.call,
        operation: request.operation,
        variablesText: () => text,
        variables: () => JSON.parse(text) as Record<string, unknown>,
        signal: jointSignal(askers),
      });
      const split = splitAnswer(request, joined, answer);
      if (split) this.settle(split, calls);
      else await this.sendEachAlone([...calls.values()]);
    } catch (error) {
      if (isFaultOfOne(error)) await this.sendEachAlone([...calls.values()]);
      else for (const asker of askers) asker.fail(error);
    }
  }

  private settle({ answers, spoilt, spoilers }: SplitAnswer, calls: ReadonlyMap<number, MergeableCall>): void {
    for (const index of spoilers) calls.get(index)!.operation.times.apart = TIMES_APART;
    for (const [index, call] of calls) {
      if (spoilt.has(index)) void this.sendAlone(call);
      else handOut(call.askers, answers.get(index)!);
    }
  }

  /** After a request that failed as a whole: those whose fault it was go alone for some time. */
  private async sendEachAlone(calls: readonly MergeableCall[]): Promise<void> {
    const outcomes = await Promise.all(calls.map((call) => this.sendAlone(call)));
    const failing = calls.filter((_, index) => outcomes[index] === 'no data');
    // When each of them is answered, it is their being together that the subgraph does not take.
    const isRefused = outcomes.every((outcome) => outcome === 'data');
    for (const { operation } of isRefused ? calls : failing) operation.times.alone = TIMES_ALONE;
  }

  /** Sends a call for all its askers. Never rejects. */
  private async sendAlone(call: Pick<DistinctCall, 'askers'>): Promise<'data' | 'no data' | 'lost'> {
    const askers = call.askers.filter(({ isGone }) => !isGone);
    const [first, ...others] = askers;
    if (!first) return 'lost';
    try {
      const signal = others.length > 0 ? jointSignal(askers) : first.call.signal;
      const answer = await this.transport.execute(others.length > 0 ? { ...first.call, signal } : first.call);
      handOut(askers, answer);
      return isDataObject(answer.data) ? 'data' : 'no data';
    } catch (error) {
      for (const asker of askers) asker.fail(error);
      return isFaultOfOne(error) ? 'no data' : 'lost';
    }
  }
}

/** An answer that cannot be used, one that is too large included: what another call has asked for may be the reason. */
function isFaultOfOne(error: unknown): boolean {
  // A RangeError is about values nested deeper than the stack is high.
  return error instanceof RangeError || (error instanceof SubgraphError && error.code === 'SUBGRAPH_BAD_RESPONSE');
}

/** The order makes documents equal, also those that several gateways send to one subgraph. */
function byText(a: DistinctCall, b: DistinctCall): number {
  if (a.query !== b.query) return a.query < b.query ? -1 : 1;
  return a.variablesText < b.variablesText ? -1 : 1;
}

function variablesTextOf(
  request: MergedRequest,
  lists: readonly Representations[],
  values: readonly (string | undefined)[],
): string {
  const members = request.lists.map(({ name }, index) => `"${name}":${lists[index]!.text}`);
  for (const { name, value } of request.values) {
    const text = values[value];
    if (text !== undefined) members.push(`"${name}":${text}`);
  }
  return `{${members.join(',')}}`;
}

/** Whoever gets an answer may change it: one gets the original, the others copies. */
function handOut([first, ...others]: readonly Waiting[], answer: SubgraphAnswer): void {
  const copies = others.map((asker) => ({ asker, copy: { ...answer, data: copyOf(answer.data) } }));
  first?.answer(answer);
  for (const { asker, copy } of copies) asker.answer(copy);
}
