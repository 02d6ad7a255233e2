import { once } from "node:events";
import { writeFile } from "node:fs/promises";
import { type TLSSocket, connect } from "node:tls";
import { defineSidecar } from "@pillion/kit";
import { startSidecar } from "@pillion/kit/testing";
import { expect, onTestFinished, test, vi } from "vitest";
import { tlsProxy } from "../src/index.ts";
import { served } from "./certificates/handshake.ts";
import { makeAuthority } from "./certificates/pki.ts";
import { answering, OK, startRawApp } from "./raw-app.ts";
import { startWorkers } from "./start-workers.ts";
import { REQUEST, authority, path, stateDir } from "./worker-clients.ts";

test.each(["TLSv1.2", "TLSv1.3"] as const)(
  "a session of %s is resumed by whichever worker it comes back to",
  async (version) => {
    await using app = await startRawApp(answering(OK));
    await using proxy = await startWorkers(["--app-port", `${app.port}`, "--state-dir", stateDir]);
    const ca = await authority();
    const versions = { minVersion: version, maxVersion: version };
    const open = async (session?: Buffer): Promise<{ socket: TLSSocket; session: Buffer }> => {
      const socket = connect({
        port: proxy.port,
        ca,
        servername: "localhost",
        ...versions,
        ...(session && { session }),
      });
      onTestFinished(() => void socket.destroy());
      const ticket = once(socket, "session");
      await once(socket, "secureConnect");
      socket.write(REQUEST);
      await once(socket, "data");
      return { socket, session: session ?? ((await ticket)[0] as Buffer) };
    };
    const { session } = await open();
    const resumed: boolean[] = [];
    const again = async () => (await open(session)).socket.isSessionReused();
    do resumed.push(...(await Promise.all(Array.from({ length: 6 }, again))));
    while (proxy.spread().some((count) => count === 0) && resumed.length < 200);
    expect(proxy.spread().every((count) => count > 0)).toBe(true);
    expect(resumed).not.toContain(false);
  },
);

test("new keys of session tickets reach all workers", async () => {
  // The option's least is a minute.
  const often = defineSidecar(tlsProxy.identity, tlsProxy.options, (values) =>
    tlsProxy.configured({ ...values, ticketRotation: 2_000 }),
  );
  await using proxy = await startSidecar(often({ appPort: 1, workers: 2, listen: "127.0.0.1:0", stateDir }));
  const port = Number(proxy.addresses["https"]?.split(":").at(-1));
  const ca = await authority();
  /** What a ticket begins with (RFC 5077 §4). */
  const keyName = async () => {
    const socket = connect({ port, ca, servername: "localhost", maxVersion: "TLSv1.2" });
    await once(socket, "secureConnect");
    const name = socket.getTLSTicket()?.toString("hex", 0, 16);
    socket.destroy();
    return name;
  };
  const names = async () => [...new Set(await Promise.all(Array.from({ length: 16 }, keyName)))];
  const [first] = await vi.waitUntil(async () => ((await names()).length === 1 ? await names() : undefined));
  await vi.waitFor(
    async () => {
      const later = await names();
      expect(later).toHaveLength(1);
      expect(later).not.toContain(first);
    },
    { timeout: 10_000 },
  );
});

test("another certificate reaches all workers, at SIGHUP too; a bad one is told of once, and heals", async () => {
  const ca = await makeAuthority("workers");
  const install = async (name: string) => {
    const { cert, key } = await ca.issue({ names: [name] });
    await Promise.all([writeFile(path("tls.crt"), cert), writeFile(path("tls.key"), key)]);
  };
  await install("first.test");
  const files = ["--cert", path("tls.crt"), "--key", path("tls.key")];
  await using proxy = await startWorkers(["--app-port", "1", ...files]);
  const names = async () => new Set(await Promise.all(Array.from({ length: 24 }, () => served(proxy.port))));
  expect([...(await names())].join()).toContain("first.test");
  await install("second.test");
  proxy.spawned.process.kill("SIGHUP");
  await vi.waitFor(async () => expect([...(await names())].join()).toMatch(/^[^,]*second.test$/), { timeout: 5_000 });
  await writeFile(path("tls.crt"), "no certificate");
  const ready = async () => await proxy.get("/readyz");
  await vi.waitFor(async () => expect(await ready()).toMatch(/^degraded: certificate: refused/), { timeout: 5_000 });
  expect((await ready()).match(/certificate:/g)).toHaveLength(1);
  await install("third.test");
  await vi.waitFor(async () => expect(await ready()).toBe("ready\n"), { timeout: 5_000 });
  expect([...(await names())].join()).toMatch(/^[^,]*third.test$/);
});
