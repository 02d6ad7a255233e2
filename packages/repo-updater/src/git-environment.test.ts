import { expect, test } from "vitest";
import { gitEnvironment } from "./git-environment.ts";

const settingsOf = (environment: Record<string, string>) =>
  new Map(
    Array.from({ length: Number(environment["GIT_CONFIG_COUNT"]) }, (_, index) => [
      environment[`GIT_CONFIG_KEY_${index}`],
      environment[`GIT_CONFIG_VALUE_${index}`],
    ]),
  );

test("only what git needs of our environment gets through", () => {
  const ambient = {
    PATH: "/bin",
    HOME: "/root",
    GIT_DIR: "/x",
    GIT_ASKPASS: "/x",
    LD_PRELOAD: "/x",
    https_proxy: "http://proxy",
  };
  const environment = gitEnvironment(ambient, { root: "/r" }, "https://host/x");
  expect(environment).toMatchObject({
    PATH: "/bin",
    https_proxy: "http://proxy",
    GIT_CONFIG_GLOBAL: "/dev/null",
    GIT_TERMINAL_PROMPT: "0",
  });
  for (const name of ["HOME", "GIT_DIR", "GIT_ASKPASS", "LD_PRELOAD"]) expect(environment).not.toHaveProperty(name);
});

test("credentials go to the repository's own origin", () => {
  const credentials = { username: "me", password: "p:w" };
  const settings = settingsOf(gitEnvironment({}, { root: "/r" }, "https://host:8443/a/b", credentials));
  expect(settings.get("http.https://host:8443/.extraHeader")).toBe(
    `Authorization: Basic ${Buffer.from("me:p:w").toString("base64")}`,
  );
  expect([...settingsOf(gitEnvironment({}, { root: "/r" }, "https://host/a")).keys()].join()).not.toContain(
    "extraHeader",
  );
});
