import fc from "fast-check";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { hostileConversation } from "./hostile-messages.ts";
import { knownRefusal } from "./known-refusals.ts";
import { LAST, message } from "./messages.ts";
import { type Conversation, type Reader, type ReaderName, installed, readerNames, startReader } from "./readers.ts";
import { SEED, Tally } from "./run.ts";

describe.runIf(installed)("real servers behind the proxy", () => {
  const readers = new Map<ReaderName, Reader>();
  beforeAll(async () => {
    for (const name of readerNames) readers.set(name, await startReader(name));
  });
  afterAll(async () => {
    for (const reader of readers.values()) await reader[Symbol.asyncDispose]();
  });

  test.each(readerNames)("%s reads what was meant, or refuses it for a known reason", async (name) => {
    const tally = new Tally();
    await fc.assert(
      fc.asyncProperty(fc.array(message, { minLength: 1, maxLength: 5 }), async (messages) => {
        const conversation = await readers.get(name)?.read(messages.map(({ text }) => text).join("") + LAST);
        expect(conversation?.refused).toBeUndefined();
        expect(conversation?.outcomes).toHaveLength(messages.length + 1);
        for (const [index, { meant }] of messages.entries()) {
          const outcome = conversation?.outcomes[index];
          if (outcome === 400) tally.count(knownRefusal(name, meant) ?? expect.fail(JSON.stringify(meant)));
          else expect(outcome).toEqual(meant);
          tally.count("requests");
        }
      }),
      { seed: SEED, numRuns: 150 },
    );
    tally.print(name);
  });

  test("all of them read a tampered conversation alike, as far as they read it", async () => {
    const tally = new Tally();
    await fc.assert(
      fc.asyncProperty(hostileConversation, async (bytes) => {
        const conversations = await Promise.all([...readers.values()].map((reader) => reader.read(bytes)));
        expectOneReading(conversations);
        const [first] = conversations;
        if (first?.refused !== undefined) tally.count(`the proxy refused with ${first.refused}`);
        else if (conversations.some(({ outcomes }) => typeof outcomes.at(-1) === "number"))
          tally.count("a reader refused");
        else if (first?.outcomes.some((one) => typeof one !== "number" && one.target === "/last"))
          tally.count("read to the end");
        else tally.count("without an end");
      }),
      { seed: SEED, numRuns: 400 },
    );
    tally.print("tampered conversations");
  });
});

/** What one reader took for a request is that request to all who don't refuse it. */
function expectOneReading(conversations: readonly Conversation[]): void {
  const length = Math.max(...conversations.map(({ outcomes }) => outcomes.length));
  for (let index = 0; index < length; index++) {
    const outcomes = conversations.map((one) => one.outcomes[index]);
    const read = outcomes.find((one) => typeof one === "object");
    if (read === undefined) continue;
    for (const outcome of outcomes) if (typeof outcome !== "number") expect(outcome).toEqual(read);
  }
}
