import { LoadSocket } from './load-socket';
import type { AudienceSpec, EventFigures, Tally } from './load-messages';
import { MessageReader, type ReadMessage } from './message-reader';
import { nowUs } from './job-log';
import { documentOf, SELECTIONS, type Selection, type StreamName } from './workload';

/** Connections that are opened at the same time. */
const OPENING = 50;

interface Subscriber {
  socket: LoadSocket;
  field: StreamName;
  selection: Selection;
  /** What tells its payloads from those of other selections. */
  key: string;
  /** The number of the last line; null until the first. */
  last: number | null;
  /** Numbers that were skipped and have not come later. */
  missing: Set<number> | null;
}

/** Some subscribers of one job, on some connections, who check that each gets every line once and in order. */
export class Audience {
  private readonly sockets: LoadSocket[] = [];
  private readonly ids = new Map<LoadSocket, Map<string, Subscriber>>();
  private subscribers: Subscriber[] = [];
  private readonly reader: MessageReader;
  private readonly events = new Map<number, { at: number; received: number; lastAt: number }>();
  private readonly tally: Tally = {
    lost: 0,
    repeated: 0,
    outOfOrder: 0,
    wrong: 0,
    wrongExample: null,
    closes: {},
    closedWithCursor: 0,
  };
  private started = 0;
  private nextId = 1;
  private isClosing = false;
  private onProgress: () => void = () => {};

  constructor(private readonly spec: AudienceSpec) {
    this.reader = new MessageReader(spec.job);
  }

  async open(): Promise<void> {
    const { port, sockets, job } = this.spec;
    const openOne = async (): Promise<void> => {
      let cursor: string | undefined;
      const ids = new Map<string, Subscriber>();
      const socket = await LoadSocket.open(port, {
        message: (text) => void (cursor = this.onMessage(text, ids)?.cursor ?? cursor),
        closed: (code, reason) => this.onClosed(code, reason, cursor),
      });
      this.sockets.push(socket);
      this.ids.set(socket, ids);
    };
    for (let opened = 0; opened < sockets; opened += OPENING)
      await Promise.all(Array.from({ length: Math.min(OPENING, sockets - opened) }, openOne));
    this.subscribeAll(job);
  }

  /** Whether every subscriber has got a line. */
  hasStarted(limitMs: number): Promise<boolean> {
    return this.until(() => this.started === this.subscribers.length, limitMs);
  }

  /** Whether every subscriber has got the line with this number. */
  hasReached(seq: number, limitMs: number): Promise<boolean> {
    return this.until(() => (this.events.get(seq)?.received ?? 0) >= this.subscribers.length, limitMs);
  }

  /** Ends every subscription and begins another in its place. */
  resubscribe(): void {
    for (const [socket, ids] of this.ids) {
      for (const id of ids.keys()) socket.send({ type: 'complete', id });
      ids.clear();
    }
    this.subscribeAll(this.spec.job);
  }

  stall(): void {
    for (const socket of this.sockets) socket.stall();
  }

  readAgain(): void {
    for (const socket of this.sockets) socket.readAgain();
  }

  /** Whether all connections have been closed by the server. */
  allClosed(limitMs: number): Promise<boolean> {
    const closed = (): number => Object.values(this.tally.closes).reduce((sum, count) => sum + count, 0);
    return this.until(() => closed() === this.sockets.length, limitMs);
  }

  /** How far each line got, and when it reached its last subscriber. */
  figuresOf(from: number, to: number): EventFigures[] {
    return [...this.events]
      .filter(([seq]) => seq >= from && seq <= to)
      .map(([seq, { at, received, lastAt }]) => ({
        seq,
        received,
        lastMs: received >= this.subscribers.length ? (lastAt - at) / 1_000 : null,
      }));
  }

  /** All that was seen so far; what is missing up to the line `finalSeq` counts as lost. */
  tallyUntil(finalSeq: number): Tally {
    let lost = 0;
    for (const { last, missing } of this.subscribers)
      lost += (missing?.size ?? 0) + (last === null ? 1 : Math.max(0, finalSeq - last));
    return { ...this.tally, lost };
  }

  close(): void {
    this.isClosing = true;
    for (const socket of this.sockets) socket.close();
  }

  private subscribeAll(job: string): void {
    const { perSocket, selections, fields } = this.spec;
    const group = SELECTIONS[selections];
    this.subscribers = [];
    this.started = 0;
    this.events.clear();
    for (const [socket, ids] of this.ids)
      for (let turn = 0; turn < perSocket; turn += 1) {
        const index = this.subscribers.length;
        const number = index % group.length;
        const field = fields[index % fields.length]!;
        const selection = group[number]!;
        const id = String(this.nextId++);
        const subscriber = { socket, field, selection, key: `${field} ${number}`, last: null, missing: null };
        this.subscribers.push(subscriber);
        ids.set(id, subscriber);
        socket.send({ type: 'subscribe', id, payload: { query: documentOf(field, selection), variables: { job } } });
      }
  }

  private onMessage(text: string, ids: Map<string, Subscriber>): ReadMessage | undefined {
    const id = this.reader.idOf(text);
    const subscriber = ids.get(id);
    if (!subscriber) return undefined; // it has just been ended
    const message = this.reader.read(text, id, subscriber.key, subscriber.field, subscriber.selection);
    if (message.line) this.onLine(subscriber, message.line);
    else this.onFault(message.fault ?? message.type);
    this.onProgress();
    return message;
  }

  private onLine(subscriber: Subscriber, { seq, at }: { seq: number; at: number }): void {
    const { last } = subscriber;
    if (last === null) this.started += 1;
    else if (seq <= last) return this.onOld(subscriber, seq);
    for (let skipped = (last ?? seq) + 1; skipped < seq; skipped += 1) (subscriber.missing ??= new Set()).add(skipped);
    subscriber.last = seq;
    const event = this.events.get(seq) ?? { at, received: 0, lastAt: 0 };
    event.received += 1;
    event.lastAt = nowUs();
    this.events.set(seq, event);
  }

  private onOld({ missing }: Subscriber, seq: number): void {
    if (missing?.delete(seq)) this.tally.outOfOrder += 1;
    else this.tally.repeated += 1;
  }

  private onFault(fault: string): void {
    this.tally.wrong += 1;
    this.tally.wrongExample ??= fault;
  }

  private onClosed(code: number, reason: string, cursor: string | undefined): void {
    if (this.isClosing) return;
    this.tally.closes[code] = (this.tally.closes[code] ?? 0) + 1;
    if (cursor !== undefined || reason.includes('cursor')) this.tally.closedWithCursor += 1;
    this.onProgress();
  }

  private until(isSo: () => boolean, limitMs: number): Promise<boolean> {
    return new Promise((resolve) => {
      const end = (result: boolean): void => {
        clearTimeout(timer);
        this.onProgress = () => {};
        resolve(result);
      };
      const timer = setTimeout(() => end(false), limitMs);
      this.onProgress = () => void (isSo() && end(true));
      this.onProgress();
    });
  }
}
