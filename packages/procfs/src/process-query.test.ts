import { describe, expect, test } from "vitest";
import { matches, parseProcessQuery } from "./process-query.ts";

describe("parseProcessQuery", () => {
  test("reads each of the forms, and the value as it is", () => {
    expect(parseProcessQuery("name=nginx")).toEqual({ name: "nginx" });
    expect(parseProcessQuery("name=a=b c\n")).toEqual({ name: "a=b c\n" });
    expect(parseProcessQuery(String.raw`cmdline=^/usr/bin/node .*app\.js`)).toEqual({
      commandLine: /^\/usr\/bin\/node .*app\.js/,
    });
    expect(parseProcessQuery("script=app.js")).toEqual({ script: "app.js" });
  });

  test.for(["", "nginx", "name=", "cmdline=", "pid=1", "NAME=x", " name=x"])(
    "refuses %j and says which forms there are",
    (text) => {
      const refusal = {
        name: "RangeError",
        message: expect.stringMatching(/name=.*cmdline=.*script=/),
      };
      expect(() => parseProcessQuery(text)).toThrow(expect.objectContaining(refusal));
    },
  );

  test("refuses an expression that isn't one, with the cause", () => {
    expect(() => parseProcessQuery("cmdline=(")).toThrow(
      expect.objectContaining({ name: "RangeError", cause: expect.any(SyntaxError) }),
    );
  });

  test("refuses slashes around an expression, which would never match, but takes paths", () => {
    for (const text of [String.raw`cmdline=/app\.js/`, "cmdline=/app/i"])
      expect(() => parseProcessQuery(text)).toThrow(/slashes around it/);
    for (const text of ["cmdline=/usr/bin/app", "cmdline=/srv/app[/]", "cmdline=app/"])
      expect(parseProcessQuery(text)).toEqual({
        commandLine: new RegExp(text.slice("cmdline=".length)),
      });
  });
});

describe("matches", () => {
  test("a name is compared whole", () => {
    expect(matches({ name: "nginx" }, candidate("nginx"))).toBe(true);
    expect(matches({ name: "nginx" }, candidate("nginx2"))).toBe(false);
    expect(matches({ name: "nginx" }, candidate("ngin"))).toBe(false);
  });

  test("a name is compared as the kernel keeps it: 15 bytes, even of a character cut in two", () => {
    expect(matches({ name: "config-reloader-daemon" }, candidate("config-reloader"))).toBe(true);
    expect(matches({ name: "config-reloaded-daemon" }, candidate("config-reloader"))).toBe(false);
    const cut = Buffer.from("éééééééé").subarray(0, 15);
    expect(matches({ name: "éééééééé" }, candidate(new TextDecoder().decode(cut)))).toBe(true);
  });

  test("an expression is looked for in the arguments joined by spaces, each time from the start", () => {
    const query = { commandLine: /node .*app\.js/g };
    for (let time = 0; time < 3; time++)
      expect(matches(query, candidate("node", "node", "--flag", "app.js"))).toBe(true);
    expect(matches(query, candidate("node", "node", "appxjs"))).toBe(false);
  });

  test("an expression that matches the empty text doesn't match processes without arguments", () => {
    expect(matches({ commandLine: /.*/ }, candidate("kthreadd"))).toBe(false);
  });

  test("a command line that may not be read or is gone doesn't match", () => {
    expect(matches({ commandLine: /app/ }, { name: "app", commandLine: () => null })).toBe(false);
    expect(matches({ script: "app" }, { name: "app", commandLine: () => undefined })).toBe(false);
  });

  test.for([
    ["nginx", ["/usr/sbin/nginx", "-g", "daemon off;"], true],
    ["app.js", ["node", "--max-old-space-size=64", "/srv/app.js", "x"], true],
    ["app.js", ["node", "other.js", "app.js"], false],
    ["app.js", ["sh", "-c", "node app.js"], false],
  ] as const)("script=%s of %j is %j", ([script, commandLine, expected]) => {
    expect(matches({ script }, candidate("x", ...commandLine))).toBe(expected);
  });
});

function candidate(name: string, ...commandLine: string[]) {
  return { name, commandLine: () => commandLine };
}
