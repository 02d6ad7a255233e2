import fc from "fast-check";
import { expect, test } from "vitest";
import { validateXml } from "./validate-xml.ts";

const check = (text: string, encoding: BufferEncoding = "utf8") => validateXml(Buffer.from(text, encoding));

test.each([
  ["a plain document", "<a><b c='d'>e</b></a>"],
  ["a byte order mark and a declaration", '\uFEFF<?xml version="1.0" encoding="UTF-8"?>\n<a/>'],
  ["an entity that is declared", '<!DOCTYPE a [<!ENTITY name "value">]><a b="&name;">&name;</a>'],
  ["an entity of a DTD somewhere else", '<!DOCTYPE a SYSTEM "other.dtd"><a>&name;</a>'],
  ["a prefix that isn't bound, as old software writes it", "<x:a/>"],
  ["predefined entities and character references", "<a>&lt;&amp;&#65;&#x41;</a>"],
])("%s passes", (_name, text) => {
  expect(check(text)).toBeUndefined();
});

test.each([
  ["an empty file", "", 1, "document must contain a root element"],
  ["a tag that isn't closed", "<a>\n  <secret>\n</a>", 3, "unexpected close tag"],
  ["an end within a tag", "<a>\n<secret", 2, "unclosed tag"],
  ["an attribute that comes twice", "<a\n secret='1' secret='2'/>", 2, "duplicate attribute"],
  ["an entity that nobody declared", "<a>\n&secret;</a>", 2, "undefined entity"],
  ["an entity that is like a property of every object", "<a>&constructor;</a>", 1, "undefined entity"],
  ["two roots", "<a/>\n<secret/>", 2, "documents may contain only one root"],
  [
    "an ampersand by itself",
    "<!-- & -->\n<a>\nsecret & more\n</a>",
    3,
    "an ampersand by itself, which is written &amp;",
  ],
])("%s is refused with its line, and nothing of it is quoted", (_name, text, line, reason) => {
  const finding = check(text);
  expect(finding).toMatchObject({ line });
  expect(finding?.reason).not.toContain("secret");
  expect(finding?.reason).toBe(reason);
});

test("a million entities within each other are not expanded", () => {
  const rows = Array.from({ length: 30 }, (_, i) => `<!ENTITY e${i + 1} "&e${i};&e${i};&e${i};">`);
  expect(check(`<!DOCTYPE a [<!ENTITY e0 "x">${rows.join("")}]><a>&e30;</a>`)).toBeUndefined();
});

test("the declared encoding counts, and so does the byte order mark", () => {
  const text = '<?xml version="1.0" encoding="ISO-8859-1"?><a>Müller</a>';
  expect(check(text, "latin1")).toBeUndefined();
  expect(check(text.replace("ISO-8859-1", "UTF-8"), "latin1")).toMatchObject({ reason: "not text in UTF-8" });
  expect(check(text.replace("ISO-8859-1", "X-NONE"))).toMatchObject({ reason: "the encoding is not known here" });
  expect(check('\uFEFF<?xml version="1.0" encoding="UTF-16"?><a>Müller</a>', "utf16le")).toBeUndefined();
});

test("a document whose tags match passes, and one of which a closing tag is missing doesn't", () => {
  const name = fc.stringMatching(/^[a-z]{1,8}$/);
  const { tree } = fc.letrec<{ tree: string; leaf: string }>((tie) => ({
    leaf: name.map((tag) => `<${tag}/>`),
    tree: fc
      .tuple(name, fc.array(fc.oneof({ maxDepth: 4 }, tie("leaf"), tie("tree")), { maxLength: 3 }))
      .map(([tag, inner]) => `<${tag}>${inner.join("\n")}</${tag}>`),
  }));
  fc.assert(
    fc.property(tree, (text) => {
      expect(check(text)).toBeUndefined();
      expect(check(text.slice(0, text.lastIndexOf("<")))).toBeDefined();
    }),
  );
});
