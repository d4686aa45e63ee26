/** What one more than there are places is told, with the code OVERLOADED. */
export const TOO_MANY_CONNECTIONS = 'Too many connections are open here. Try again later.';

/** How many connections that carry streams are open in this process, whoever they are of. */
export class Places {
  private taken = 0;

  constructor(private readonly most: number) {}

  get isFull(): boolean {
    return this.taken >= this.most;
  }

  take(): void {
    this.taken++;
  }

  giveBack(): void {
    this.taken--;
  }
}
