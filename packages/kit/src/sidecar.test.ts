import { expect, expectTypeOf, test } from "vitest";
import type { Address } from "./address.ts";
import { UsageError } from "./errors.ts";
import type { OptionType } from "./option-type.ts";
import { type Input, type OptionTable, type Values, defineOptions } from "./options.ts";
import { Secret } from "./secret.ts";
import { type Context, type Sidecar, defineSidecar } from "./sidecar.ts";

const words: OptionType<readonly string[]> = {
  placeholder: "COMMAND",
  expects: "a command",
  parse: (text) => text.split(" "),
  format: (value) => value.join(" "),
};

const table = {
  url: { type: "url", required: true, help: "" },
  every: { type: "duration", default: "10s", min: 1_000, help: "" },
  limit: { type: "size", help: "" },
  listen: { type: "address", help: "" },
  once: { type: "boolean", help: "" },
  mode: { type: "choice", choices: ["link", "files"], default: "link", help: "" },
  modes: { type: "choice", choices: ["a", "b"], repeat: true, help: "" },
  paths: { type: "path", repeat: true, help: "" },
  token: { type: "secret", help: "" },
  check: { type: words, help: "" },
  checks: { type: words, repeat: true, help: "" },
} as const satisfies OptionTable;

let seen: Values<typeof table> | undefined;
const probe = defineSidecar("probe", table, (values) => {
  seen = values;
  return { start: async () => ({ stop() {} }) };
});

test("what a sidecar is given is inferred from the table", () => {
  type Seen = Values<typeof table>;
  expectTypeOf<Seen["url"]>().toEqualTypeOf<URL>();
  expectTypeOf<Seen["every"]>().toEqualTypeOf<number>();
  expectTypeOf<Seen["limit"]>().toEqualTypeOf<number | undefined>();
  expectTypeOf<Seen["listen"]>().toEqualTypeOf<Address | undefined>();
  expectTypeOf<Seen["once"]>().toEqualTypeOf<boolean>();
  expectTypeOf<Seen["mode"]>().toEqualTypeOf<"link" | "files">();
  expectTypeOf<Seen["modes"]>().toEqualTypeOf<readonly ("a" | "b")[]>();
  expectTypeOf<Seen["paths"]>().toEqualTypeOf<readonly string[]>();
  expectTypeOf<Seen["token"]>().toEqualTypeOf<Secret | undefined>();
  expectTypeOf<Seen["check"]>().toEqualTypeOf<readonly string[] | undefined>();
});

test("what its factory takes is inferred as well: as it is written or as it is", () => {
  type Given = Input<typeof table>;
  expectTypeOf<{ url: string }>().toExtend<Given>();
  expectTypeOf<{ url: URL; every: number; limit: "1MB"; once: true; token: string }>().toExtend<Given>();
  expectTypeOf<{
    url: string;
    mode: "files";
    modes: ["a", "b"];
    listen: ":80";
    check: ["ls", "-l"];
  }>().toExtend<Given>();
  expectTypeOf<object>().not.toExtend<Given>();
  expectTypeOf<{ url: string; mode: "copy" }>().not.toExtend<Given>();
  expectTypeOf<{ url: string; modes: ["c"] }>().not.toExtend<Given>();
  expectTypeOf<{ url: string; paths: string }>().not.toExtend<Given>();
  expectTypeOf<{ url: string; once: 1 }>().not.toExtend<Given>();
  // @ts-expect-error an option of that name does not exist
  expect(() => probe({ url: "http://h/", evry: "5s" })).toThrow("evry: no such option");
});

test("the table may be given with its rules, and the types are the same", () => {
  const options = defineOptions({ a: { type: "integer", required: true, help: "" } }, ({ a }, problem) => {
    expectTypeOf(a).toEqualTypeOf<number | undefined>();
    if (a === 13) problem("a", "unlucky", "Give another");
  });
  const factory = defineSidecar("ruled", options, ({ a }) => {
    expectTypeOf(a).toEqualTypeOf<number>();
    return { start: async () => ({ stop() {} }) };
  });
  expectTypeOf(factory).toBeCallableWith({ a: 1 });
  expect(() => factory({ a: 13 })).toThrow("ruled: a: unlucky. Give another");
});

const start = (sidecar: Sidecar) => sidecar.start({} as Context);

test("values arrive parsed, with defaults filled in", async () => {
  await start(
    probe({ url: "http://app/", every: "1m", limit: 5, token: "hunter2", paths: ["/a"], check: ["ls", "-l"] }),
  );
  expect(seen).toMatchObject({ every: 60_000, limit: 5, once: false, mode: "link", modes: [], paths: ["/a"] });
  expect(seen?.url.href).toBe("http://app/");
  expect(seen?.token?.reveal()).toBe("hunter2");
  expect(seen?.check).toEqual(["ls", "-l"]);
});

test("a value that is itself a list is one value, a repeated option is a list of them", async () => {
  await start(probe({ url: "http://app/", checks: [["a", "b"], "c d"] }));
  expect(seen?.checks).toEqual([
    ["a", "b"],
    ["c", "d"],
  ]);
});

test("all that is wrong is told at once, by the names that the caller used", () => {
  const wrong = () => probe({ url: "nonsense", every: "1ms", limit: "1XB" });
  expect(wrong).toThrow(UsageError);
  expect(wrong).toThrow(
    expect.objectContaining({
      problems: [
        expect.stringMatching(/^url "nonsense": not an absolute URL\. /),
        expect.stringMatching(/^every "1ms": less than 1000ms\. /),
        expect.stringMatching(/^limit "1XB": "XB" is no unit of a size\. /),
      ],
    }),
  );
});

test.each([
  [{ url: 5 }, /^url "5": of the type number\. Give an absolute URL/],
  [{ url: "http://a/", every: true }, /^every "true": of the type boolean\. Give a duration/],
  [{ url: "http://a/", limit: -1 }, /^limit "-1": of the type number\. Give a size/],
  [{ url: "http://a/", once: "yes" }, /^once "yes": neither true nor false\./],
  [{ url: "http://a/", once: 1 }, /^once "1": of the type number\. Give true or false/],
  [{ url: "http://a/", paths: [null] }, /^paths "null": of the type null\. Give a path/],
  [{ url: "http://a/", mode: {} }, /^mode "\[object Object\]": of the type object\. Give one of/],
  [{ url: "http://a/", listen: "80" }, /^listen "80": not an address/],
  [{ url: "http://a/", listen: { host: "a", port: 1e6 } }, /^listen ".*": of the type object\. Give host:port/],
  [undefined, /^url: required/],
  [null, /^url: required/],
])("what plain JavaScript may give instead (%j) is told as well", (input, problem) => {
  expect(() => probe(input as never)).toThrow(expect.objectContaining({ problems: [expect.stringMatching(problem)] }));
});

test("its configuration can be shown: as text, without secrets", () => {
  const { config, identity } = probe({
    url: "http://me:hunter2@app/",
    token: new Secret("hunter2"),
    listen: ":80",
    check: ["ls", "-l"],
    checks: ["a", "b c"],
  });
  expect(identity).toMatchObject({ name: "probe", adminListen: "127.0.0.1:9190" });
  expect(JSON.parse(JSON.stringify(config))).toEqual({
    url: "http://[redacted]@app/",
    every: "10000ms",
    limit: null,
    listen: ":80",
    once: false,
    mode: "link",
    modes: [],
    paths: [],
    token: "[redacted]",
    check: "ls -l",
    checks: ["a", "b c"],
  });
});

test("a factory carries its table, for help and manuals", () => {
  expect(Object.keys(probe.options.table)).toEqual(Object.keys(table));
  expect(probe.identity.name).toBe("probe");
});
