import { decodeText } from "./decode-text.ts";
import { type Finding, findingAt } from "./finding.ts";

/** RFC 8259, as JSON.parse has it. Its messages quote the text and often have no position, so the place is looked for here. */
export function validateJson(bytes: Uint8Array): Finding | undefined {
  const text = decodeText(bytes);
  if (typeof text !== "string") return text;
  try {
    JSON.parse(text);
    return undefined;
  } catch {
    return locate(text) ?? { line: 1, column: 1, reason: "not JSON" };
  }
}

const SPACE = /[ \t\n\r]*/y;
const SCALAR = /(?:-?(?:0|[1-9]\d*)(?:\.\d+)?(?:[eE][+-]?\d+)?|true|false|null)(?![\w.+-])/y;
const STRING_UNCLOSED = /"[ !#-[\]-\u{10ffff}]*(?:\\(?:["\\/bfnrt]|u[\da-fA-F]{4})[ !#-[\]-\u{10ffff}]*)*/uy;

/** What may come next, in the words of a message. */
type Expected = "a value" | "a value or ]" | "a name" | "a name or }" | ":" | ", or }" | ", or ]" | "nothing more";

/** Walks the text as far as it is JSON. */
function locate(text: string): Finding | undefined {
  const open: string[] = [];
  let expected: Expected = "a value";
  let at = 0;
  const take = (pattern: RegExp): boolean => {
    pattern.lastIndex = at;
    const found = pattern.test(text);
    if (found) at = pattern.lastIndex;
    return found;
  };
  for (;;) {
    take(SPACE);
    const next = text[at];
    const isValue: boolean = expected.startsWith("a value");
    if (next === undefined) {
      return expected === "nothing more" ? undefined : findingAt(text, at, `it ends where ${expected} is expected`);
    }
    if (next === '"' && expected.startsWith("a ")) {
      take(STRING_UNCLOSED);
      if (text[at] !== '"') return findingAt(text, at, faultInString(text[at]));
      at++;
      expected = isValue ? behindValue(open) : ":";
    } else if (isValue && (next === "{" || next === "[")) {
      at++;
      open.push(next);
      expected = next === "{" ? "a name or }" : "a value or ]";
    } else if ((next === "}" || next === "]") && expected.endsWith(next)) {
      at++;
      open.pop();
      expected = behindValue(open);
    } else if ((next === "," || next === ":") && expected.startsWith(next)) {
      at++;
      expected = next === "," && open.at(-1) === "{" ? "a name" : "a value";
    } else if (isValue && take(SCALAR)) expected = behindValue(open);
    else return findingAt(text, at, `${expected} is expected`);
  }
}

function behindValue(open: readonly string[]): Expected {
  if (open.length === 0) return "nothing more";
  return open.at(-1) === "{" ? ", or }" : ", or ]";
}

function faultInString(next: string | undefined): string {
  if (next === undefined) return "it ends within a string";
  return next === "\\" ? "an escape that JSON doesn't have" : "a line break or control character within a string";
}
