import { SaxesParser } from "saxes";
import { decodeText } from "./decode-text.ts";
import { type Finding, findingAt } from "./finding.ts";

/** Well-formed XML 1.0. Entities that the document declares, or may declare elsewhere, are accepted and never expanded. */
export function validateXml(bytes: Uint8Array): Finding | undefined {
  const text = decodeText(bytes, encodingOf(bytes));
  if (typeof text !== "string") return text;
  let finding: Finding | undefined;
  const parser = new SaxesParser({ position: true });
  parser.on("error", ({ message }) => {
    finding ??= { line: parser.line, column: Math.max(parser.column, 1), reason: withoutNames(message) };
  });
  parser.on("doctype", (doctype) => {
    parser.ENTITIES = withDeclared(parser.ENTITIES, doctype);
  });
  parser.write(text.replace(/^\uFEFF/, "")).close();
  return finding && (bareAmpersand(text) ?? finding);
}

const PASSED_OVER = /<!--[^]*?-->|<!\[CDATA\[[^]*?\]\]>|<\?[^]*?\?>|<!DOCTYPE[^>[]*(?:\[[^]*?\]\s*)?>/.source;
const BARE = /&(?!#\d+;|#x[\da-fA-F]+;|[^\s&;<]+;)/.source;

/** The commonest fault. The parser takes everything up to the next semicolon for the entity's name, and complains there. */
function bareAmpersand(text: string): Finding | undefined {
  for (const { 0: found, index } of text.matchAll(new RegExp(`${PASSED_OVER}|${BARE}`, "g"))) {
    if (found === "&") return findingAt(text, index, "an ampersand by itself, which is written &amp;");
  }
  return undefined;
}

/** By the byte order mark, else by the declaration, else UTF-8: XML 1.0, appendix F. */
function encodingOf(bytes: Uint8Array): string {
  const [first, second] = bytes;
  if (first === 0xfe && second === 0xff) return "utf-16be";
  if (first === 0xff && second === 0xfe) return "utf-16le";
  const declaration = Buffer.from(bytes.subarray(0, 200)).toString("latin1");
  return /^(?:\xEF\xBB\xBF)?<\?xml[^>]*?\sencoding\s*=\s*["']([\w.:-]+)["']/.exec(declaration)?.[1] ?? "utf-8";
}

const NAME = /^[\p{L}_:][\p{L}\p{M}\p{N}_:.·-]*$/u;

/** The parser doesn't read declarations. With an external part of the DTD, any name may be declared there. */
function withDeclared(known: Record<string, string>, doctype: string): Record<string, string> {
  const declared = new Set([...doctype.matchAll(/<!ENTITY\s+([^\s%]+)\s/g)].map(([, name]) => name ?? ""));
  const isOpen = /^\s*\S+\s+(?:SYSTEM|PUBLIC)\b/.test(doctype) || /%[\w.:-]+;/.test(doctype);
  return new Proxy(known, {
    get: (target, name) => {
      if (typeof name !== "string") return undefined;
      if (Object.hasOwn(target, name)) return target[name];
      return declared.has(name) || (isOpen && NAME.test(name)) ? "" : undefined;
    },
  });
}

/** `3:7: unclosed tag: password` names what the file holds; `unclosed tag` is enough with the position. */
function withoutNames(message: string): string {
  return message.replace(/^\d+:\d+: /, "").replace(/:.*$|\.$/s, "");
}
