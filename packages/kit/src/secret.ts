import { readFileSync } from "node:fs";
import { inspect } from "node:util";

const SHOWN = "[redacted]";

/** A value that no log line, error, template or JSON text shows; `reveal()` gives it to the one who needs it. */
export class Secret {
  readonly #read: () => string;

  constructor(value: string | (() => string)) {
    this.#read = typeof value === "string" ? () => value : value;
  }

  /**
   * A secret kept in a file. It is read anew at every `reveal()`, so that a rotated one is picked up; one line end at
   * its end is dropped.
   *
   * @throws the system's error at `reveal()` when the file can't be read then
   */
  static fromFile(path: string): Secret {
    return new Secret(() => readFileSync(path, "utf8").replace(/\r?\n$/, ""));
  }

  reveal(): string {
    return this.#read();
  }

  toString(): string {
    return SHOWN;
  }

  toJSON(): string {
    return SHOWN;
  }

  [inspect.custom](): string {
    return SHOWN;
  }
}
