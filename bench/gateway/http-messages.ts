const HEAD_END = Buffer.from('\r\n\r\n');

/**
 * Takes the bytes of one HTTP/1.1 connection apart into the bodies of its messages, for requests and for responses.
 * Knows Content-Length and chunked bodies, which is all that two programs on one machine send each other here.
 */
export class HttpMessages {
  private pending: Buffer[] = [];
  private size = 0;
  /** Bytes that must have come before another look makes sense. */
  private wanted = 0;

  /** `onMessage` gets each body with the first line of its message, e.g. `HTTP/1.1 200 OK`. */
  constructor(private readonly onMessage: (body: Buffer, firstLine: string) => void) {}

  push(chunk: Buffer): void {
    this.pending.push(chunk);
    this.size += chunk.length;
    if (this.size < this.wanted) return;
    let bytes = this.pending.length === 1 ? chunk : Buffer.concat(this.pending, this.size);
    for (;;) {
      const message = readMessage(bytes);
      if (typeof message === 'number') {
        this.wanted = message;
        break;
      }
      bytes = bytes.subarray(message.end);
      this.onMessage(message.body, message.firstLine);
    }
    this.pending = bytes.length > 0 ? [bytes] : [];
    this.size = bytes.length;
  }
}

/** One complete message, or how many bytes are needed before there can be one. */
function readMessage(bytes: Buffer): { body: Buffer; firstLine: string; end: number } | number {
  const headEnd = bytes.indexOf(HEAD_END);
  if (headEnd === -1) return bytes.length + 1;
  const head = bytes.toString('latin1', 0, headEnd);
  const start = headEnd + HEAD_END.length;
  const firstLine = head.slice(0, head.indexOf('\r\n'));
  const length = /\r\ncontent-length: *(\d+)/i.exec(head)?.[1];
  if (length !== undefined) {
    const end = start + Number(length);
    return bytes.length < end ? end : { body: bytes.subarray(start, end), firstLine, end };
  }
  if (/\r\ntransfer-encoding: *chunked/i.test(head)) {
    const chunked = readChunks(bytes, start);
    return typeof chunked === 'number' ? chunked : { ...chunked, firstLine };
  }
  return { body: Buffer.alloc(0), firstLine, end: start };
}

function readChunks(bytes: Buffer, start: number): { body: Buffer; end: number } | number {
  const parts: Buffer[] = [];
  for (let position = start; ;) {
    const lineEnd = bytes.indexOf('\r\n', position);
    if (lineEnd === -1) return bytes.length + 1;
    const size = Number.parseInt(bytes.toString('latin1', position, lineEnd), 16);
    const end = lineEnd + 2 + size + 2;
    if (bytes.length < end) return end;
    if (size === 0) return { body: Buffer.concat(parts), end };
    parts.push(bytes.subarray(lineEnd + 2, lineEnd + 2 + size));
    position = end;
  }
}
