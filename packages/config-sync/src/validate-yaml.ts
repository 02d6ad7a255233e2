import { LineCounter, isAlias, isNode, parseAllDocuments, visit } from "yaml";
import { decodeText } from "./decode-text.ts";
import type { Finding } from "./finding.ts";

/** All documents of a YAML stream. Tags that only the app knows are fine; aliases are looked up, never expanded. */
export function validateYaml(bytes: Uint8Array): Finding | undefined {
  const text = decodeText(bytes);
  if (typeof text !== "string") return text;
  const lines = new LineCounter();
  const finding = (offset: number, reason: string): Finding => {
    const { line, col } = lines.linePos(offset);
    return { line, column: col, reason };
  };
  try {
    const documents = parseAllDocuments(text, { lineCounter: lines, prettyErrors: false, logLevel: "error" });
    for (const document of Array.isArray(documents) ? documents : []) {
      const [error] = document.errors;
      // The message may quote the text; the code is one of a fixed list, such as BAD_INDENT.
      if (error) return finding(error.pos[0], error.code.toLowerCase().replaceAll("_", " "));
      const alias = danglingAlias(document);
      if (alias !== undefined) return finding(alias, "an alias without an anchor before it");
    }
    return undefined;
  } catch (error) {
    if (error instanceof RangeError) return { line: 1, column: 1, reason: "nested too deeply" };
    throw error;
  }
}

/** The offset of the first alias whose anchor doesn't come before it. */
function danglingAlias(document: Parameters<typeof visit>[0]): number | undefined {
  const anchors = new Set<string>();
  let dangling: number | undefined;
  visit(document, (_key, node) => {
    if (isAlias(node)) {
      if (anchors.has(node.source)) return undefined;
      dangling = node.range?.[0] ?? 0;
      return visit.BREAK;
    }
    if (isNode(node) && "anchor" in node && node.anchor) anchors.add(node.anchor);
    return undefined;
  });
  return dangling;
}
