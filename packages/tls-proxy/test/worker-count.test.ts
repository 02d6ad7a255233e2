import { mkdtemp, rm } from "node:fs/promises";
import { availableParallelism, tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { spawnScript } from "@pillion/kit/testing";
import { describe, expect, onTestFinished, test } from "vitest";
import { available } from "./available.ts";

const bin = fileURLToPath(new URL("../bin/tls-proxy.js", import.meta.url));
const inCgroups = fileURLToPath(new URL("fixtures/in-cgroups.ts", import.meta.url));
const NONE = "max 100000";

describe.runIf(await available("mount-namespace", "unshare", "--mount", "true"))("--workers auto", () => {
  test.each([
    [1, "100000 100000", NONE],
    [1, NONE, "100000 100000"],
    [1, "100000 100000", "6400000 100000"],
    [1, "50000 100000", NONE],
    [1, "190000 100000", NONE],
    [availableParallelism(), NONE, NONE],
    [Math.min(2, availableParallelism()), "200000 100000", NONE],
  ])("is %s with a CPU limit of %s, and %s above", async (count, own, above) => {
    const stateDir = await mkdtemp(join(tmpdir(), "tls-proxy-count-"));
    onTestFinished(() => rm(stateDir, { recursive: true }));
    const places = ["--listen", "127.0.0.1:0", "--admin-listen", "127.0.0.1:0", "--state-dir", stateDir];
    await using proxy = spawnScript(inCgroups, [own, above, bin, "--app-port", "1", "--workers", "auto", ...places]);
    const [, admin] = await proxy.says(/"admin":"([^"]+)"/);
    const config = (await (await fetch(`http://${admin}/config`)).json()) as { "tls-proxy": { workers: number } };
    expect(config["tls-proxy"].workers).toBe(count);
  });
});
