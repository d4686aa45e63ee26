export type StreamType = 'events' | 'multipart';

/** The kind of stream a client takes. */
export interface AcceptedStream {
  type: StreamType;
  /** Whether it likes nothing better: then it gets the answer to a query that way, too. */
  isPreferred: boolean;
}

/** Elements of a list in a header; a comma in quotes is none between two. */
const ELEMENTS = /(?:[^,"]|"(?:[^"\\]|\\.)*"?)+/g;
/** Cheap enough to ask about every request. */
const MAY_NAME_STREAM = /text\/event-stream|subscriptionspec/i;

/**
 * The stream that an Accept header names: `text/event-stream`, or `multipart/mixed` with `subscriptionSpec=1.0`, in quotes
 * or without; of both the one with the higher weight, or that comes first. Wildcards name none: whoever takes anything
 * does not expect a stream.
 */
export function acceptedStream(accept: string | undefined): AcceptedStream | undefined {
  if (accept === undefined || !MAY_NAME_STREAM.test(accept)) return undefined;
  const ranges = (accept.match(ELEMENTS) ?? []).map(readRange).filter(({ weight }) => weight > 0);
  // Sorting keeps the order of what has the same weight.
  ranges.sort((one, other) => other.weight - one.weight);
  const index = ranges.findIndex(({ stream }) => stream !== undefined);
  const type = ranges[index]?.stream;
  return type && { type, isPreferred: index === 0 };
}

function readRange(range: string): { stream: StreamType | undefined; weight: number } {
  const [type = '', ...parameters] = range.split(';').map((part) => part.trim().toLowerCase());
  const valueOf = (name: string): string | undefined =>
    parameters.find((parameter) => parameter.startsWith(`${name}=`))?.slice(name.length + 1);
  const weight = Number(valueOf('q') ?? 1);
  const isMultipart = type === 'multipart/mixed' && valueOf('subscriptionspec')?.replaceAll('"', '') === '1.0';
  return {
    stream: type === 'text/event-stream' ? 'events' : isMultipart ? 'multipart' : undefined,
    weight: Number.isFinite(weight) ? weight : 0,
  };
}
