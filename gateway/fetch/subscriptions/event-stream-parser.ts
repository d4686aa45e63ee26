/** One event of a `text/event-stream`. */
export interface StreamEvent {
  /** The value of its `event` field; empty without one. */
  name: string;
  /** The values of its `data` fields, joined by line feeds. */
  data: string;
}

export interface StreamHandlers {
  event(event: StreamEvent): void;
  /** A line that says nothing: servers send it to keep a connection alive. */
  comment(): void;
}

/** What arrived is no event stream: it is not UTF-8, or an event does not end. */
export class EventStreamError extends Error {}

/**
 * Reads a `text/event-stream` piece by piece as it arrives (HTML Living Standard §9.2.6): lines end with CR, LF or CRLF, a
 * byte order mark at the start is skipped, and pieces may break anything in two, characters included. An event is told
 * with the line end that ends it. `id`, `retry` and unknown fields are skipped. Unlike in a browser an event without data
 * is one, because GraphQL's `complete` needs none, and bytes that are no UTF-8 are an error instead of being replaced.
 */
export class EventStreamParser {
  private readonly decoder = new TextDecoder('utf-8', { fatal: true });
  /** The line that has begun. */
  private line = '';
  /** The last line ended with a CR: an LF that follows belongs to it. */
  private isAfterCr = false;
  private name: string | undefined;
  private data: string[] = [];
  private length = 0;

  /** `maxLength`: characters one event may have, line by line. */
  constructor(
    private readonly maxLength: number,
    private readonly handlers: StreamHandlers,
  ) {}

  /** Takes the next bytes and tells what is complete. Throws {@link EventStreamError}; then nothing may follow. */
  push(bytes: Uint8Array): void {
    const text = this.decode(bytes);
    let start = this.isAfterCr && text.startsWith('\n') ? 1 : 0;
    if (text) this.isAfterCr = false;
    for (const { index, 0: lineEnd } of text.matchAll(LINE_END)) {
      if (index < start) continue;
      this.grow(text.slice(start, index));
      this.endLine();
      start = index + lineEnd.length;
      this.isAfterCr = lineEnd === '\r' && start === text.length;
    }
    this.grow(text.slice(start));
  }

  private decode(bytes: Uint8Array): string {
    try {
      return this.decoder.decode(bytes, { stream: true });
    } catch (cause) {
      throw new EventStreamError('it is not UTF-8', { cause });
    }
  }

  private grow(text: string): void {
    this.line += text;
    this.length += text.length;
    if (this.length > this.maxLength) throw new EventStreamError(`an event has more than ${this.maxLength} characters`);
  }

  private endLine(): void {
    const line = this.line;
    this.line = '';
    if (line === '') return this.endEvent();
    const colon = line.indexOf(':');
    if (colon === 0) {
      this.length -= line.length;
      return this.handlers.comment();
    }
    const field = colon < 0 ? line : line.slice(0, colon);
    const value = colon < 0 ? '' : line.slice(line[colon + 1] === ' ' ? colon + 2 : colon + 1);
    if (field === 'event') this.name = value;
    else if (field === 'data') this.data.push(value);
  }

  private endEvent(): void {
    const { name, data } = this;
    this.name = undefined;
    this.data = [];
    this.length = 0;
    if (name !== undefined || data.length > 0) this.handlers.event({ name: name ?? '', data: data.join('\n') });
  }
}

const LINE_END = /\r\n|\r|\n/g;
