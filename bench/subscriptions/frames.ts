/** The little of RFC 6455 that a client needs which trusts its server: no fragments from it, no extensions. */

export const OPCODE = { text: 1, close: 8, ping: 9, pong: 10 } as const;

const MASK_BIT = 0x80;
/** A client must mask; masked with zeros the bytes stay what they are. */
const MASK = Buffer.alloc(4);

/** A frame from client to server. */
export function encodeFrame(opcode: number, payload: Buffer): Buffer {
  const length = payload.length;
  if (length > 0xffff) throw new Error(`a frame of ${length} bytes is more than this client sends`);
  const head = Buffer.alloc(length < 126 ? 2 : 4);
  head[0] = 0x80 | opcode;
  head[1] = MASK_BIT | Math.min(length, 126);
  if (length >= 126) head.writeUInt16BE(length, 2);
  return Buffer.concat([head, MASK, payload]);
}

/** Cuts what a server sends into frames; `payload` is only valid during the call. */
export class FrameReader {
  private rest: Buffer = Buffer.alloc(0);

  constructor(private readonly onFrame: (opcode: number, payload: Buffer) => void) {}

  push(chunk: Buffer): void {
    let bytes = this.rest.length === 0 ? chunk : Buffer.concat([this.rest, chunk]);
    for (let size = frameSize(bytes); size && bytes.length >= size.head + size.payload; size = frameSize(bytes)) {
      const end = size.head + size.payload;
      this.onFrame(bytes[0]! & 0x0f, bytes.subarray(size.head, end));
      bytes = bytes.subarray(end);
    }
    this.rest = bytes;
  }
}

/** Null until enough of the frame's head is there. */
function frameSize(bytes: Buffer): { head: number; payload: number } | null {
  if (bytes.length < 2) return null;
  const length = bytes[1]! & 0x7f;
  if (length < 126) return { head: 2, payload: length };
  if (length === 126) return bytes.length < 4 ? null : { head: 4, payload: bytes.readUInt16BE(2) };
  return bytes.length < 10 ? null : { head: 10, payload: Number(bytes.readBigUInt64BE(2)) };
}
