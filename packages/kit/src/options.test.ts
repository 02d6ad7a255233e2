import { expect, test } from "vitest";
import { defineOptions, environmentName, flagName, optionNames, typeOf } from "./options.ts";

test("a key in camel case is a flag in kebab case and a variable in capitals", () => {
  expect(flagName("stateDir")).toBe("state-dir");
  expect(flagName("listen")).toBe("listen");
  expect(environmentName("tls-proxy", flagName("stateDir"))).toBe("TLS_PROXY_STATE_DIR");
});

test("an option answers to its own name first, then to its aliases", () => {
  const option = { type: "address", aliases: ["addr", "bind"], help: "" } as const;
  expect(optionNames("listen", option)).toEqual(["listen", "addr", "bind"]);
});

test("a choice reads only its choices", () => {
  const type = typeOf({ type: "choice", choices: ["link", "files"], help: "" });
  expect(type.placeholder).toBe("link|files");
  expect(type.parse("link")).toBe("link");
  expect(() => type.parse("LINK")).toThrow("not a choice");
});

test("a type of the sidecar's own is used as it is", () => {
  const type = { placeholder: "X", expects: "x", parse: (text: string) => text.length };
  expect(typeOf({ type, help: "" })).toBe(type);
});

test("a table without rules has none", () => {
  const { rules, table } = defineOptions({ listen: { type: "address", help: "" } });
  expect(Object.keys(table)).toEqual(["listen"]);
  rules({}, () => expect.unreachable(), new Set());
});
