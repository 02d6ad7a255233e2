/** What is wrong with a file and where, from 1. The reason is in our words only: it never quotes what the file holds. */
export interface Finding {
  readonly line: number;
  readonly column: number;
  readonly reason: string;
}

/** A finding at an offset into the text. */
export function findingAt(text: string, offset: number, reason: string): Finding {
  const before = text.slice(0, offset);
  const line = before.split("\n").length;
  return { line, column: offset - before.lastIndexOf("\n"), reason };
}
