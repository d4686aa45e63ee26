/** Things that must be closed, in the reverse order of opening: an `AsyncDisposableStack`, which Node 20 lacks. */
export class Resources implements AsyncDisposable {
  private readonly closers: (() => unknown)[] = [];

  use<Resource extends Disposable | AsyncDisposable>(resource: Resource): Resource {
    this.defer(() => (Symbol.asyncDispose in resource ? resource[Symbol.asyncDispose]() : resource[Symbol.dispose]()));
    return resource;
  }

  defer(close: () => unknown): void {
    this.closers.push(close);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    for (const close of this.closers.reverse()) await close();
  }
}
