import { mkdtempDisposable, readFile } from "node:fs/promises";
import type { RequestListener } from "node:http";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { spawnScript, startSidecar } from "@pillion/kit/testing";
import { expect, test } from "vitest";
import { bannerProxy } from "../banner.ts";
import { ask } from "./ask.ts";
import { startApp } from "./start-app.ts";

const page = "<h1>Welcome</h1>";

const app: RequestListener = (request, response) => {
  const type = request.url?.startsWith("/page") ? "text/html; charset=utf-8" : "text/plain";
  response.writeHead(200, { "Content-Type": type, "Content-Length": page.length, "X-Powered-By": "time" });
  response.end(page);
};

async function startBannerProxy(port: number) {
  const directory = await mkdtempDisposable(join(tmpdir(), "banner-"));
  const sidecar = await startSidecar(bannerProxy({ appPort: port, listen: "127.0.0.1:0", stateDir: directory.path }));
  return {
    port: Number(sidecar.addresses["https"]?.split(":").at(-1)),
    ca: await readFile(join(directory.path, "development-ca/ca.pem"), "utf8"),
    async [Symbol.asyncDispose]() {
      await sidecar[Symbol.asyncDispose]();
      await directory[Symbol.asyncDispose]();
    },
  };
}

test("the app gets the field, and what tls-proxy says of the client", async () => {
  await using legacy = await startApp(app);
  await using proxy = await startBannerProxy(legacy.port);
  await ask({ ...proxy, path: "/", headers: { "X-Environment": "production", "X-Forwarded-For": "6.6.6.6" } });
  expect(legacy.requests[0]?.headers).toMatchObject({
    "x-environment": "staging",
    "x-forwarded-for": "127.0.0.1",
    "x-forwarded-proto": "https",
  });
});

test("a page gets the banner and arrives whole, a text stays what it is", async () => {
  await using legacy = await startApp(app);
  await using proxy = await startBannerProxy(legacy.port);
  const rewritten = await ask({ ...proxy, path: "/page", headers: { "Accept-Encoding": "gzip", Range: "bytes=0-3" } });
  expect(rewritten).toMatchObject({ status: 200, body: `<p>This is staging.</p>\n${page}` });
  expect(rewritten.headers).toMatchObject({ "transfer-encoding": "chunked" });
  expect(rewritten.headers).not.toHaveProperty("content-length");
  expect(rewritten.headers).not.toHaveProperty("x-powered-by");
  expect(legacy.requests[0]?.headers).not.toHaveProperty("range");
  const text = await ask({ ...proxy, path: "/text" });
  expect(text).toMatchObject({ body: page, headers: { "content-length": String(page.length) } });
});

test("as a command it has tls-proxy's options and its end", async () => {
  await using legacy = await startApp(app);
  await using directory = await mkdtempDisposable(join(tmpdir(), "banner-"));
  const flags = ["--listen=127.0.0.1:0", "--admin-listen=127.0.0.1:0", "--state-dir", directory.path];
  await using command = spawnScript(join(import.meta.dirname, "../main.ts"), [`--app-port=${legacy.port}`, ...flags]);
  const [, port] = await command.says(/"https":"127\.0\.0\.1:(\d+)"/);
  const ca = await readFile(join(directory.path, "development-ca/ca.pem"), "utf8");
  expect((await ask({ port, ca, path: "/page" })).body).toContain("This is staging.");
  command.process.kill("SIGTERM");
  expect(await command.exited).toBe(0);
});
