import { writeFile } from "node:fs/promises";
import { expect, onTestFinished, test, vi } from "vitest";
import { sClient } from "./handshake.ts";
import { clients, field, forget, get, issue, path, start, strangers, web } from "./judged-clients.ts";

test.each(["-tls1_2", "-tls1_3"])(
  "a resumed session of %s keeps its identity, until other CAs are in force",
  async (version) => {
    await writeFile(path("web.pem"), `${web.cert}\n${web.key}`);
    await using proxy = await start({ allowClient: ["cn=web"] });
    const certificate = ["-cert", path("web.pem"), "-key", path("web.pem")];
    expect(await sClient(proxy.port, "app.test", version, ...certificate, "-sess_out", path("session"))).toMatch(
      /200 OK/,
    );
    forget();
    const resumed = await sClient(proxy.port, "app.test", version, "-sess_in", path("session"));
    expect(resumed).toMatch(/^Reused/m);
    expect(resumed).toMatch(/200 OK/);
    expect(field("X-Client-Cert-DNS")).toBe("web.test");

    await writeFile(path("clients.pem"), strangers.ca);
    await proxy.reload();
    const anew = await sClient(proxy.port, "app.test", version, ...certificate, "-sess_in", path("session"));
    expect(anew).toMatch(/^New/m);
    expect(anew).toMatch(/403 Forbidden/);
  },
);

test("a certificate that expires while its session is resumed is refused", async () => {
  await using proxy = await start();
  // OpenSSL judges a resumed session by what it found when it began; here its clock and ours differ instead.
  vi.useFakeTimers({ toFake: ["Date"], now: Date.now() + 31 * 86_400_000 });
  onTestFinished(() => void vi.useRealTimers());
  expect(await get(proxy.port, web)).toMatch(/403 Forbidden[^]*has expired/);
});

test("other CAs come into force by the file alone; a bad file leaves the old ones", async () => {
  await using proxy = await start();
  await writeFile(path("clients.pem"), "nothing");
  const state = async () => (await proxy.get("/readyz")).text;
  await vi.waitFor(
    async () => expect(await state()).toMatch(/^degraded: certificate: .*--client-ca ".*": holds no PEM certificate/),
    { timeout: 5_000 },
  );
  expect(await get(proxy.port, web)).toMatch(/200 OK/);
  const stranger = await issue({}, strangers);
  expect(await get(proxy.port, stranger)).toMatch(/403/);
  await writeFile(path("clients.pem"), clients.ca + strangers.ca);
  await vi.waitFor(async () => expect(await get(proxy.port, stranger)).toMatch(/200 OK/), { timeout: 5_000 });
  expect(await get(proxy.port, web)).toMatch(/200 OK/);
  expect(await state()).toMatch(/^ready/);
});

test.each<[string, () => Promise<string> | string, string, RegExp]>([
  ["nothing", () => "", "CLIENT_CA_UNUSABLE", /holds no PEM certificate\. Give/],
  [
    "a client's certificate",
    () => web.cert,
    "CLIENT_CA_UNUSABLE",
    /holds O=Example, OU=shop, CN=web, which is no CA\. Give/,
  ],
  [
    "an intermediate alone",
    async () => {
      const { cert } = await (await clients.intermediate("mid")).issue();
      return cert.slice(cert.lastIndexOf("-----BEGIN"));
    },
    "CLIENT_CA_UNUSABLE",
    /holds intermediates alone\. Add the root/,
  ],
  ["damage", () => "-----BEGIN CERTIFICATE-----\nTUlJ\n-----END CERTIFICATE-----", "CERTIFICATE_UNPARSABLE", /damaged/],
])("a --client-ca that holds %s: no start", async (_name, make, code, message) => {
  await writeFile(path("clients.pem"), await make());
  await expect(start()).rejects.toMatchObject({ code, message: expect.stringMatching(message) });
});

test("a --client-ca that isn't there: no start", async () => {
  await expect(start({ clientCa: path("none") })).rejects.toMatchObject({
    code: "CLIENT_CA_UNREADABLE",
    message: expect.stringMatching(/--client-ca ".*none": can't be read \(ENOENT\)\. Check/),
  });
});
