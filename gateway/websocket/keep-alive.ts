/** Between two pings to one client; one that does not answer is gone after two. */
const KEEP_ALIVE_MS = 12_000;
/** Clients take turns, so that ten thousand of them are not pinged in one go. */
export const TURNS = 12;

export interface KeptAlive {
  /** Which of the turns is its: 0 to `TURNS` - 1. */
  readonly turn: number;
  /** Ends it when nothing has been heard since the last ping; else pings it. */
  checkAlive(): void;
}

/** One timer for all clients; the function returned ends it. */
export function startKeepAlive(clients: ReadonlySet<KeptAlive>): () => void {
  let turn = 0;
  const timer = setInterval(() => {
    turn = (turn + 1) % TURNS;
    for (const client of clients) if (client.turn === turn) client.checkAlive();
  }, KEEP_ALIVE_MS / TURNS).unref();
  return () => clearInterval(timer);
}
