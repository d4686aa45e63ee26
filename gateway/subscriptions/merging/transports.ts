import { LRUCache } from 'lru-cache';
import type { Transport } from '../../fetch/transport';
import { MergedCalls, type Merging } from './calls';
import { createPreparation } from './operation';
import { mergeCalls, type MergedRequest } from './requests';

/**
 * Transports for everything that one event causes. Queries that are executed in one turn of the event loop, by callers of
 * one scope, leave as few requests: equal ones once, and those that consist of `_entities` fields as one with the union of
 * representations and fields, each part of it asked for once. Each call settles as it would alone: with what it selected
 * and the errors in there, with its own aliases and indexes, and with its signal's reason as soon as that aborts; the
 * request is cancelled when nobody waits for it any more. Where one call's fault would cost another something, calls are
 * sent again, alone: when a request is answered without data, or with SUBGRAPH_BAD_RESPONSE, or when an error of one
 * empties an object of another. What else a request is rejected with goes to all.
 *
 * Mutations, calls with uploads and subscriptions pass as they are. A query that is alone in its turn does so as well.
 */
export type CallMerger = (transports: ReadonlyMap<string, Transport>) => ReadonlyMap<string, Transport>;

/** Characters of merged documents that are kept, at most. */
const MAX_CHARACTERS = 4_000_000;

/** A merger for all events of a process; `cacheSize` operations and as many ways to merge them are kept prepared. */
export function createCallMerger({ cacheSize }: { cacheSize: number }): CallMerger {
  const kept = new LRUCache<string, readonly MergedRequest[]>({
    max: cacheSize,
    maxSize: MAX_CHARACTERS,
    sizeCalculation: (requests, key) =>
      requests.reduce((size, { operation }) => size + operation.query.length, key.length),
  });
  const merging: Merging = {
    prepare: createPreparation(cacheSize),
    requestsFor({ key, shapes }) {
      const known = kept.get(key);
      if (known) return known;
      const requests = mergeCalls(shapes);
      kept.set(key, requests);
      return requests;
    },
  };
  return (transports) =>
    new Map([...transports].map(([name, transport]) => [name, mergedTransport(transport, merging)]));
}

function mergedTransport(transport: Transport, merging: Merging): Transport {
  const calls = new MergedCalls(transport, merging);
  return {
    execute: (call) => calls.execute(call),
    subscribe: (call) => transport.subscribe(call),
    scopeOf: (caller) => transport.scopeOf(caller),
    ready: (signal) => transport.ready(signal),
    dispose: () => transport.dispose(),
  };
}
