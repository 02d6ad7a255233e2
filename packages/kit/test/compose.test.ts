import { fileURLToPath } from "node:url";
import { expect, onTestFinished, test } from "vitest";
import { type Spawned, spawnScript } from "@pillion/kit/testing";

const script = fileURLToPath(new URL("fixtures/pair.ts", import.meta.url));

function pair(args: readonly string[], env: Record<string, string> = {}): Spawned {
  const spawned = spawnScript(script, args, env);
  onTestFinished(() => spawned[Symbol.asyncDispose]());
  return spawned;
}

test("two sidecars run as one program that PILLION_ variables set up", async () => {
  const { process, says, exited, output } = pair([], {
    PILLION_ADMIN_LISTEN: "127.0.0.1:0",
    PILLION_LOG_LEVEL: "info",
  });
  const [, admin] = await says(/"admin":"([^"]+)"/);
  const get = async (path: string) => await (await fetch(`http://${admin}${path}`)).text();
  expect(await get("/readyz")).toBe("one: ready\ntwo: ready\n");
  expect([await get("/one/word"), await get("/two/word")]).toEqual(["first", "second"]);
  expect(JSON.parse(await get("/config"))).toEqual({ one: { word: "first" }, two: { word: "second" } });
  const metrics = await get("/metrics");
  expect(metrics).toMatch(/^one_beats_total 1$/m);
  expect(metrics).toMatch(/^two_beats_total 1$/m);
  process.kill("SIGTERM");
  expect(await exited).toBe(0);
  for (const name of ["one", "two"]) expect(output()).toMatch(new RegExp(`"sidecar":"${name}","msg":"bye"`));
});

test("they take the runner's options only", async () => {
  const refused = pair(["--word=third"]);
  expect(await refused.exited).toBe(2);
  expect(refused.output()).toMatch(/^pillion: a problem with the options\n {2}--word: no such option/);
  const help = pair(["--help"]);
  expect(await help.exited).toBe(0);
  expect(help.output()).toContain("PILLION_ADMIN_LISTEN; default 127.0.0.1:9190");
});

test("a second address serves probes and metrics, and nothing that tells more", async () => {
  const { says } = pair(["--admin-listen=127.0.0.1:0", "--health-listen=127.0.0.1:0"]);
  const [, health] = await says(/"health":"([^"]+)"/);
  const status = async (path: string) => (await fetch(`http://${health}${path}`)).status;
  const served = await Promise.all(["/livez", "/readyz", "/startupz", "/metrics"].map(status));
  const hidden = await Promise.all(["/config", "/version", "/one/word"].map(status));
  expect({ served, hidden }).toEqual({ served: [200, 200, 200, 200], hidden: [404, 404, 404] });
});
