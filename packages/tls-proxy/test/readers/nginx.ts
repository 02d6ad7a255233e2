import { spawn } from "node:child_process";
import { once } from "node:events";
import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { connect } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { vi } from "vitest";
import { startRawApp } from "../raw-app.ts";

export interface Nginx extends AsyncDisposable {
  readonly port: number;
}

/** A real nginx, one process as this user, that passes every request on to an app. */
export async function startNginx(app: number): Promise<Nginx> {
  const directory = await mkdtemp(join(tmpdir(), "nginx-"));
  const reserved = await startRawApp(() => {});
  await reserved[Symbol.asyncDispose]();
  const { port } = reserved;
  const file = join(directory, "nginx.conf");
  await writeFile(file, configuration(directory, port, app));
  const child = spawn("nginx", ["-p", directory, "-c", file, "-e", "stderr"], { stdio: "ignore" });
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

const configuration = (directory: string, port: number, app: number) => `
  daemon off;
  master_process off;
  pid ${directory}/nginx.pid;
  error_log stderr;
  events {}
  http {
    access_log off;
    client_body_temp_path ${directory}/body;
    proxy_temp_path ${directory}/proxy;
    fastcgi_temp_path ${directory}/fastcgi;
    uwsgi_temp_path ${directory}/uwsgi;
    scgi_temp_path ${directory}/scgi;
    client_max_body_size 0;
    large_client_header_buffers 8 32k;
    server {
      listen 127.0.0.1:${port};
      location / {
        proxy_pass http://127.0.0.1:${app};
        proxy_http_version 1.1;
        proxy_set_header Connection "";
      }
    }
  }
`;
