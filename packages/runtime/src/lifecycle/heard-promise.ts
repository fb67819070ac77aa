/** A promise that knows whether anybody has ever waited for it: by `await`, `then`, `catch`, `Promise.all` or the like. */
export class HeardPromise<T> extends Promise<T> {
  #isHeard = false
  #isAwaited = false
  #caught: Promise<unknown> | undefined

  /** What is chained to it is a promise like any other. */
  static override get [Symbol.species](): PromiseConstructor {
    return Promise
  }

  /** Follows another one. Where nobody waits for it, its failure is for whoever made it to report. */
  static of<T>(made: Promise<T>): HeardPromise<T> {
    const promise = new HeardPromise<T>((resolve) => resolve(made))
    void Promise.prototype.then.call(promise, undefined, () => {})
    return promise
  }

  get isHeard(): boolean {
    return this.#isHeard
  }

  /** What `catch` made of it, where nobody waits for its value. */
  get caught(): Promise<unknown> | undefined {
    return this.#isAwaited ? undefined : this.#caught
  }

  // `await` comes by here, too: it looks into what is of another class than Promise itself.
  // oxlint-disable-next-line unicorn/no-thenable -- it is a promise
  override then<A = T, B = never>(
    onFulfilled?: ((value: T) => A | PromiseLike<A>) | null,
    onRejected?: ((reason: unknown) => B | PromiseLike<B>) | null,
  ): Promise<A | B> {
    this.#isHeard = true
    const next = super.then(onFulfilled, onRejected)
    if (onFulfilled) this.#isAwaited = true
    else this.#caught = next
    return next
  }
}
