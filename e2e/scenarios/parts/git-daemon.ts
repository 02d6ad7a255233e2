import { spawn } from "node:child_process";
import { once } from "node:events";
import type { Podman } from "../../drivers/podman.ts";

/** Serves the repositories of a directory on the loopback of a pod, where nobody else comes: git-daemon(1). */
export async function serveInPod(podman: Podman, pod: string, directory: string): Promise<AsyncDisposable> {
  const infra = await podman.run("pod", "inspect", "--format={{.InfraContainerID}}", pod);
  await podman.run("start", infra);
  const pid = await podman.run("inspect", "--format={{.State.Pid}}", infra);
  const options = ["--verbose", "--log-destination=stderr", "--export-all", "--listen=127.0.0.1"];
  const command = ["git", "daemon", ...options, `--base-path=${directory}`];
  // it ends with the test, however that ends
  const daemon = spawn("nsenter", [`--net=/proc/${pid}/ns/net`, "setpriv", "--pdeathsig=TERM", ...command], {
    stdio: ["ignore", "ignore", "pipe"],
  });
  const ended = once(daemon, "exit");
  await new Promise<void>((resolve, reject) => {
    daemon.stderr.on("data", (chunk) => String(chunk).includes("Ready to rumble") && resolve());
    ended.then(([code]) => reject(new Error(`git daemon ended with ${String(code)}`)), reject);
  });
  return {
    async [Symbol.asyncDispose]() {
      daemon.kill();
      await ended;
    },
  };
}
