import { waitFor } from '../../platform/testing/wait';

/** One event as a browser would dispatch it. */
export interface StreamEvent {
  type: string;
  data: string;
  /** The last id there was up to this event. */
  lastEventId: string;
}

/** Interprets a text as an event stream, line by line as https://html.spec.whatwg.org/multipage/server-sent-events.html has it. */
export class EventStreamParser {
  readonly events: StreamEvent[] = [];
  readonly comments: string[] = [];
  retryMs: number | undefined;
  private rest = '';
  private type = '';
  private data = '';
  private lastEventId = '';

  push(text: string): void {
    // A CR at the very end may be half of a line's end.
    const all = this.rest + text;
    const whole = all.endsWith('\r') ? all.slice(0, -1) : all;
    const lines = whole.split(/\r\n|\n|\r/);
    this.rest = lines.pop()! + all.slice(whole.length);
    for (const line of lines) this.line(line);
  }

  private line(line: string): void {
    if (line === '') return this.dispatch();
    const colon = line.indexOf(':');
    if (colon === 0) return void this.comments.push(line.slice(1).trimStart());
    const field = colon < 0 ? line : line.slice(0, colon);
    const value = colon < 0 ? '' : line.slice(colon + 1).replace(/^ /, '');
    if (field === 'event') this.type = value;
    else if (field === 'data') this.data += `${value}\n`;
    else if (field === 'id' && !value.includes('\0')) this.lastEventId = value;
    else if (field === 'retry' && /^\d+$/.test(value)) this.retryMs = Number(value);
  }

  private dispatch(): void {
    const { type, data, lastEventId } = this;
    this.type = this.data = '';
    if (data === '') return;
    this.events.push({ type: type || 'message', data: data.slice(0, -1), lastEventId });
  }
}

export interface OpenStream {
  status: number;
  headers: Headers;
  /** Everything that has arrived. */
  readonly text: string;
  readonly stream: EventStreamParser;
  /** The data of `next` events. */
  readonly results: unknown[];
  /** Resolves at the end of the body: true for a clean one. */
  ended: Promise<boolean>;
  /** Resolves when an event of this type is there. */
  receive(type: string): Promise<StreamEvent>;
  close(): void;
}

/** Sends a request and interprets what comes as an event stream, whatever it is. */
export async function openStream(url: string, init: RequestInit = {}): Promise<OpenStream> {
  const leaving = new AbortController();
  const response = await fetch(url, { ...init, signal: leaving.signal });
  const stream = new EventStreamParser();
  let text = '';
  const read = async (): Promise<boolean> => {
    const decoder = new TextDecoder();
    try {
      for await (const chunk of response.body as unknown as AsyncIterable<Uint8Array>) {
        const part = decoder.decode(chunk, { stream: true });
        text += part;
        stream.push(part);
      }
      return true;
    } catch {
      return false;
    }
  };
  return {
    status: response.status,
    headers: response.headers,
    get text() {
      return text;
    },
    stream,
    get results() {
      return stream.events.filter(({ type }) => type === 'next').map(({ data }) => JSON.parse(data) as unknown);
    },
    ended: read(),
    receive: (type) => waitFor(`an event ${type}`, () => stream.events.find((event) => event.type === type)),
    close: () => leaving.abort(),
  };
}

/** An operation as a POST whose client takes an event stream. */
export function eventStreamPost(body: unknown, headers: Record<string, string> = {}): RequestInit {
  return {
    method: 'POST',
    headers: { 'content-type': 'application/json', accept: 'text/event-stream', ...headers },
    body: typeof body === 'string' ? body : JSON.stringify(body),
  };
}
