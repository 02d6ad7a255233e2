import { spawn } from "node:child_process";
import { once } from "node:events";
import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { connect } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { vi } from "vitest";
import { startTcpApp } from "./start-tcp.ts";

export interface Haproxy extends AsyncDisposable {
  readonly port: number;
}

/** A real HAProxy with one listener; `sections` gets its port and says what it does. */
export async function startHaproxy(sections: (port: number) => string): Promise<Haproxy> {
  const directory = await mkdtemp(join(tmpdir(), "haproxy-"));
  const reserved = await startTcpApp(() => {});
  await reserved[Symbol.asyncDispose]();
  const { port } = reserved;
  const file = join(directory, "haproxy.cfg");
  await writeFile(file, `defaults\n timeout connect 5s\n timeout client 20s\n timeout server 20s\n${sections(port)}\n`);
  const child = spawn("haproxy", ["-db", "-f", file], { stdio: "ignore" });
  const exited = once(child, "exit");
  await vi.waitFor(async () => {
    const socket = connect(port, "127.0.0.1");
    await once(socket, "connect").finally(() => socket.destroy());
  }, 10_000);
  return {
    port,
    async [Symbol.asyncDispose]() {
      child.kill("SIGKILL");
      await exited;
      await rm(directory, { recursive: true });
    },
  };
}
