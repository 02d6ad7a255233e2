import { readFile } from "node:fs/promises";
import { join } from "node:path";
import { expect } from "vitest";
import { scenario } from "../drivers/scenario.ts";
import { type ExamplePod, kubernetes, makeExamplePod } from "./parts/example-pod.ts";

const GREETING = "Good morning, harbor";

scenario(
  "pod-plain-containers.yaml is an app with HTTPS, content, configuration and topz",
  { on: ["pod"] },
  async () => {
    await using pod = await makeExamplePod("pod-plain-containers.yaml");
    await expectRestartsWithoutConfiguration(pod);
    await pod.podman.run("pod", "start", "noticeboard");
    await expect.poll(() => greeting(pod)).toBe(GREETING);
    const [, id] = /^pid: (.*)$/m.exec(await status(pod)) ?? [];

    await expect.poll(async () => (await pod.askHttps("/")).text).toContain(`<h1>${GREETING}</h1>`);
    await pod.push({ "fog.txt": "Fog until noon" });
    await expect.poll(async () => (await pod.askHttps("/fog.txt")).text).toBe("Fog until noon");

    await pod.configure((text) => text.replace(GREETING, "Fog on the river"));
    await expect.poll(() => greeting(pod)).toBe("Fog on the river");
    // the same process: it was signalled, and nobody restarted it
    expect(await status(pod)).toContain(`pid: ${id}\n`);

    expect(await lookAtTopz(pod)).toMatch(new RegExp(`^ *${id} .* node /app/server.js --config /config/app.xml`, "m"));
  },
);

scenario("minimal.yaml is an app with content from git, and nothing else", { on: ["pod"] }, async () => {
  await using pod = await makeExamplePod("minimal.yaml");
  await pod.podman.run("pod", "start", "noticeboard-minimal");
  await expect.poll(() => askInside(pod, "/")).toContain(`<h1>${GREETING}</h1>`);
  await pod.push({ "fog.txt": "Fog until noon" });
  await expect.poll(() => askInside(pod, "/fog.txt")).toBe("Fog until noon");
});

/** Podman doesn't order containers: what if the app is first? */
async function expectRestartsWithoutConfiguration({ podman }: ExamplePod): Promise<void> {
  await podman.run("start", "noticeboard-app");
  await expect.poll(async () => (await podman.log("noticeboard-app")).split("ENOENT").length).toBeGreaterThan(2);
}

async function status(pod: ExamplePod): Promise<string> {
  return await pod.askHttps("/status").then(
    ({ text }) => text,
    () => "",
  );
}

async function greeting(pod: ExamplePod): Promise<string | undefined> {
  return /^greeting: (.*)$/m.exec(await status(pod))?.[1];
}

/** The command of README.md, as it is written there. */
async function lookAtTopz({ podman }: ExamplePod): Promise<string> {
  const readme = await readFile(join(kubernetes, "README.md"), "utf8");
  const [, container = "", script = ""] = /^podman exec (\S+) node -e '(.+)'$/m.exec(readme) ?? [];
  return await podman.run("exec", container, "node", "-e", script);
}

async function askInside({ podman }: ExamplePod, path: string): Promise<string> {
  const script = `fetch("http://127.0.0.1:8080${path}").then(async (answer) => process.stdout.write(await answer.text()))`;
  return await podman.run("exec", "noticeboard-minimal-app", "node", "-e", script).catch(String);
}
