import fc from "fast-check";
import { expect, test } from "vitest";
import { collectOptions } from "./command-line.ts";
import type { OptionTable } from "./options.ts";

const table: OptionTable = {
  listen: { type: "address", aliases: ["addr"], help: "" },
  volumeDir: { type: "path", repeat: true, help: "" },
  failures: { type: "integer", help: "" },
  once: { type: "boolean", help: "" },
  token: { type: "secret", aliases: ["key"], help: "" },
};
const collect = (argv: string[], env: Record<string, string> = {}) =>
  collectOptions(table, { name: "tls-proxy", argv, env });
const valuesOf = (key: string, ...input: Parameters<typeof collect>) =>
  collect(...input)
    .written.get(key)
    ?.map(({ value }) => value);

test.each([
  ["--listen=:80", ":80"],
  ["--listen :80", ":80"],
  ["-listen=:80", ":80"],
  ["-listen :80", ":80"],
  ["--addr :80", ":80"],
  ["-addr=:80", ":80"],
  ["--listen=-80", "-80"],
  ["--listen=a=b", "a=b"],
])("`%s` is read", (line, value) => {
  expect(valuesOf("listen", line.split(" "))).toEqual([value]);
  expect(collect(line.split(" ")).problems).toEqual([]);
});

test("a flag without a value is true, `=false` turns it off", () => {
  expect(valuesOf("once", ["--once"])).toEqual(["true"]);
  expect(valuesOf("once", ["--once=false"])).toEqual(["false"]);
  expect(collect(["--once", "false"]).problems).toEqual(['argument "false": not expected here. Options start with --']);
});

test("all that a repeated flag was given is kept, in order, whatever it was called", () => {
  expect(valuesOf("volumeDir", ["--volume-dir=a", "-volume-dir", "b", "--volume-dir", "c"])).toEqual(["a", "b", "c"]);
  expect(valuesOf("listen", ["--addr=:1", "--listen=:2"])).toEqual([":1", ":2"]);
});

test("a value is missing at the end, before another flag, and where it is empty", () => {
  const missing = "--listen: needs a value. Write --listen=VALUE";
  expect(collect(["--listen"]).problems).toEqual([missing]);
  expect(collect(["--listen="]).problems).toEqual([missing]);
  const { problems, written } = collect(["--listen", "--failures", "2"]);
  expect(problems).toEqual([missing]);
  expect(written.get("failures")?.[0]?.value).toBe("2");
});

test("a negative number is a value", () => expect(valuesOf("failures", ["--failures", "-1"])).toEqual(["-1"]));

test.each([
  ["--lisen", "Did you mean --listen?"],
  ["--lsiten", "Did you mean --listen?"],
  ["--listen-address", "Did you mean --listen?"],
  ["--volume", "Did you mean --volume-dir?"],
  ["-volumedir", "Did you mean --volume-dir?"],
])("%s is unknown: %s", (flag, hint) => {
  expect(collect([flag]).problems).toEqual([expect.stringMatching(/^--\S+: no such option\. /)]);
  expect(collect([flag]).problems[0]).toContain(hint);
});

test("an unknown flag that is like no other gets no suggestion, and its value is not shown", () => {
  expect(collect(["--zebra", "stripes"]).problems).toEqual(["--zebra: no such option. --help lists all"]);
  expect(collect(["-x", "stripes", "more"]).problems).toEqual([
    "-x: no such option. --help lists all",
    'argument "more": not expected here. Options start with --',
  ]);
});

test.each([["--token", "hunter2"], ["--token=hunter2"], ["-token", "hunter2"], ["--key", "hunter2"]])(
  "a secret on the command line is refused and not shown: %s",
  (...argv) => {
    const { problems, written } = collect(argv);
    expect(problems).toEqual([
      expect.stringMatching(/^--(token|key): a secret is not taken.* Put it into a file and give --(token|key)-file$/),
    ]);
    expect(problems.join()).not.toContain("hunter2");
    expect(written.size).toBe(0);
  },
);

test("a secret's file is told apart from the secret", () => {
  expect(collect(["--token-file=/t"]).written.get("token")).toEqual([
    { name: "--token-file", value: "/t", file: true },
  ]);
  expect(collect([], { TLS_PROXY_TOKEN: "x" }).written.get("token")).toEqual([
    { name: "TLS_PROXY_TOKEN", value: "x", file: false },
  ]);
  expect(collect([], { TLS_PROXY_KEY_FILE: "/t" }).written.get("token")).toEqual([
    { name: "TLS_PROXY_KEY_FILE", value: "/t", file: true },
  ]);
});

test("help and version are asked for in the usual ways", () => {
  expect([["--help"], ["-h"], ["-help"], ["--listen", "--help"]].map((argv) => collect(argv).help)).toEqual([
    true,
    true,
    true,
    true,
  ]);
  expect(collect(["--version"])).toMatchObject({ version: true, help: false, problems: [] });
  expect(collect(["--listen=--help"]).help).toBe(false);
});

test("variables carry the sidecar's prefix; an empty one is as good as none", () => {
  expect(valuesOf("volumeDir", [], { TLS_PROXY_VOLUME_DIR: "a, b" })).toEqual(["a", "b"]);
  expect(valuesOf("listen", [], { TLS_PROXY_ADDR: ":1", TLS_PROXY_LISTEN: ":2" })).toEqual([":2"]);
  expect(valuesOf("listen", [], { TLS_PROXY_LISTEN: "", LISTEN: ":1" })).toBeUndefined();
  expect(valuesOf("once", [], { TLS_PROXY_ONCE: "false" })).toEqual(["false"]);
});

test("an unknown variable of the sidecar is a warning that doesn't show its value", () => {
  const { warnings, problems } = collect([], { TLS_PROXY_LISTN: "hunter2", OTHER_LISTN: "x", TLS_PROXYX: "x" });
  expect(warnings).toEqual(["TLS_PROXY_LISTN: no option is called so, it has no effect. --help lists all"]);
  expect(problems).toEqual([]);
});

test("what Kubernetes injects for a service of the same name is no mistake", () => {
  const links = ["PORT", "PORT_443_TCP", "PORT_443_TCP_ADDR", "SERVICE_HOST", "SERVICE_PORT", "SERVICE_PORT_HTTPS"];
  const env = Object.fromEntries(links.map((name) => [`TLS_PROXY_${name}`, "tcp://10.0.0.1:443"]));
  expect(collect([], env).warnings).toEqual([]);
  expect(collect([], { TLS_PROXY_PORTS: "1" }).warnings).toHaveLength(1);
});

test("no command line makes it throw, and every word is read, told as a problem, or follows an unknown flag", () => {
  const word = fc.oneof(
    fc.string(),
    fc.constantFrom("--listen", "--once", "--", "-", "--token", "-listen", "--x", "__proto__", "--constructor"),
  );
  fc.assert(
    fc.property(fc.array(word), (argv) => {
      const { written, problems, help, version } = collect(argv);
      if (argv.some((one) => one !== "--"))
        expect(written.size + problems.length + Number(help || version)).toBeGreaterThan(0);
    }),
  );
});

test("an argument that no option takes is a problem, wherever it stands", () => {
  expect(collect(["start"]).problems).toEqual(['argument "start": not expected here. Options start with --']);
  expect(collect(["--zebra=1", "start"]).problems).toHaveLength(2);
  expect(collect(["--", "--once"]).problems).toEqual([expect.stringContaining('argument "--once"')]);
});
