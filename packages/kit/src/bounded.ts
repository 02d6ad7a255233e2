/**
 * Calls `work` for every item, at most `limit` at a time. The first failure stops the taking of new items; it is thrown
 * when the calls under way have ended, so that nothing goes on behind the caller's back.
 * Eight is where publishing stopped getting faster: libuv's thread pool has four threads.
 */
export async function forEachBounded<T>(
  items: Iterable<T> | AsyncIterable<T>,
  work: (item: T) => Promise<void>,
  { limit = 8, signal }: { limit?: number; signal?: AbortSignal | undefined } = {},
): Promise<void> {
  // One generator feeds all workers; a worker that throws closes it for the others.
  const shared = (async function* () {
    yield* items;
  })();
  const worker = async () => {
    for await (const item of shared) {
      signal?.throwIfAborted();
      await work(item);
    }
  };
  const outcomes = await Promise.allSettled(Array.from({ length: limit }, worker));
  const failed = outcomes.find((outcome) => outcome.status === "rejected");
  if (failed !== undefined) throw failed.reason;
}
