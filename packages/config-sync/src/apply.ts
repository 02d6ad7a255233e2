import { messageOf } from "@pillion/kit";
import type { ProcessIdentity } from "@pillion/procfs";
import type { App } from "./app.ts";
import { errors } from "./errors.ts";
import type { Journal } from "./journal.ts";
import { committed, notified, published, quarantined } from "./marks.ts";
import { type Generation, nextStep } from "./next-step.ts";
import { type Files, contentOf } from "./source.ts";
import type { Store } from "./store.ts";
import { validate } from "./validate.ts";

/** Where an attempt can fail. */
export type Stage = "read" | "validate" | "publish" | "notify" | "settle" | "go back";

/** Told of everything that happens, for log and metrics. */
export interface Reporter {
  published(generation: Generation, files: number): void;
  notified(process: ProcessIdentity | undefined): void;
  /** The app lives with what is published, or nobody has to be told. */
  committed(generation: Generation): void;
  wentBack(from: Generation, to: Generation, reason: string): void;
  /** The app died, and there is nothing to go back to. */
  lost(reason: string): void;
  failed(stage: Stage): void;
}

export interface ApplyOptions {
  readonly store: Pick<Store, "current" | "find" | "publish" | "republish" | "tidy">;
  readonly journal: Pick<Journal, "marks" | "write">;
  readonly app: App | undefined;
  /** How long the app has to live after it was told, milliseconds. */
  readonly settle: number;
  /** Old generations to keep. */
  readonly keep: number;
  readonly report: Reporter;
}

/**
 * Brings configuration into force: validate, publish, tell the app, see that it lives, commit; or go back. What was done is
 * marked on the disk after each step, and what to do next is read off the marks, so that a crash costs nothing but time.
 * The two methods take turns, so a generation is never replaced while the app is being watched.
 */
export class Applier {
  readonly #options: ApplyOptions;
  #turn: Promise<unknown> = Promise.resolve();
  /** Contents found to be invalid. The next version may think otherwise, so this isn't kept on the disk. */
  #refused: { readonly content: string; readonly error: unknown } | undefined;

  constructor(options: ApplyOptions) {
    this.#options = options;
  }

  /**
   * Publishes the files unless readers see them already.
   *
   * @returns the generation, when there was something to publish
   * @throws CONFIGURATION_INVALID, CONFIGURATION_QUARANTINED, and what the file system refuses
   */
  publish(files: Files, signal: AbortSignal): Promise<Generation | undefined> {
    return this.#exclusively(() => this.#publish(files, signal));
  }

  /**
   * Does what is pending for what is published.
   *
   * @returns whether it is in force, or waits for the app to start
   * @throws APP_DIED, and whatever kept the app from being told
   */
  settle(signal: AbortSignal): Promise<"in force" | "waiting"> {
    return this.#exclusively(() => this.#settle(signal));
  }

  async #publish(files: Files, signal: AbortSignal): Promise<Generation | undefined> {
    const { store, journal, keep, report } = this.#options;
    const content = contentOf(files);
    const reason = journal.marks.quarantined[content];
    if (reason !== undefined) throw inQuarantine(content, reason);
    const before = await store.current();
    if (before?.content === content) return undefined;
    this.#validate(content, files);
    const generation = await this.#attempt("publish", () => store.publish(content, files, signal));
    await journal.write(published(journal.marks));
    report.published(generation, files.size);
    await store.tidy(keep, journal.marks.committed);
    return generation;
  }

  #validate(content: string, files: Files): void {
    if (this.#refused?.content === content) throw this.#refused.error;
    try {
      validate(files);
    } catch (error) {
      this.#refused = { content, error };
      this.#options.report.failed("validate");
      throw error;
    }
  }

  async #settle(signal: AbortSignal): Promise<"in force" | "waiting"> {
    const { store, journal, app } = this.#options;
    for (;;) {
      signal.throwIfAborted();
      const generation = await store.current();
      const step = nextStep({ published: generation, marks: journal.marks, tells: app !== undefined });
      if (!generation || step === "rest") return "in force";
      if (!app || step === "commit") await this.#commit(generation);
      else if (step === "go back") await this.#goBack(generation);
      else {
        const process = step === "tell" ? await this.#tell(app, generation) : await this.#find(app, signal);
        if (!process) return "waiting";
        if (await app.lives(process, this.#options.settle, signal)) await this.#commit(generation);
        else await this.#mourn(generation, process);
      }
    }
  }

  /** The process that was told. An app that doesn't run reads what is published when it starts: that is marked as well. */
  async #tell(app: App, generation: Generation): Promise<ProcessIdentity | undefined> {
    const { journal, report } = this.#options;
    const process = await this.#attempt("notify", () => app.tell());
    await journal.write(notified(journal.marks, generation.name, process ?? null));
    report.notified(process);
    return process;
  }

  /** Who has to show that it lives now: the process that was told, or the one that started after that. */
  async #find(app: App, signal: AbortSignal): Promise<ProcessIdentity | undefined> {
    const told = this.#options.journal.marks.notified?.process;
    if (told && (await app.lives(told, 0, signal))) return told;
    return await this.#attempt("notify", () => app.find());
  }

  async #commit(generation: Generation): Promise<void> {
    const { journal, report } = this.#options;
    await journal.write(committed(journal.marks, generation.name));
    report.committed(generation);
  }

  /** The app died of a generation. Marked, so that the next step is to go back, when there is something to go back to. */
  async #mourn(generation: Generation, { pid }: ProcessIdentity): Promise<void> {
    const { store, journal, settle, report } = this.#options;
    const { marks } = journal;
    const reason = `the app (pid ${pid}) died within ${settle} ms of taking it`;
    const back = marks.committed === undefined ? undefined : await store.find(marks.committed);
    report.failed("settle");
    if (back && back.content !== generation.content) {
      return await journal.write(quarantined(marks, generation.content, reason));
    }
    await journal.write({ ...marks, failed: reason });
    report.lost(reason);
    const remedy = "Correct the configuration or the app; nothing more is tried until one of them changes";
    const fault = { subject: "content", value: generation.content, remedy };
    throw errors.APP_DIED({ ...fault, reason: `${reason}, and there is none that it is known to live with` });
  }

  async #goBack(from: Generation): Promise<void> {
    const { store, journal, report } = this.#options;
    const { committed: last = "", quarantined: reasons } = journal.marks;
    const to = await this.#attempt("go back", () => store.republish(last)).catch((error: unknown) => {
      report.lost(`going back failed: ${messageOf(error)}`);
      throw error;
    });
    report.wentBack(from, to, reasons[from.content] ?? "");
  }

  async #attempt<T>(stage: Stage, work: () => Promise<T>): Promise<T> {
    try {
      return await work();
    } catch (error) {
      this.#options.report.failed(stage);
      throw error;
    }
  }

  #exclusively<T>(work: () => Promise<T>): Promise<T> {
    const mine = this.#turn.then(work);
    this.#turn = mine.catch(() => undefined);
    return mine;
  }
}

function inQuarantine(content: string, reason: string): Error {
  const remedy = "Change the configuration; the same isn't tried again";
  return errors.CONFIGURATION_QUARANTINED({ subject: "content", value: content, reason, remedy });
}
