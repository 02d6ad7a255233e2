import { createHash, randomBytes } from "node:crypto";
import { once } from "node:events";
import { mkdtemp, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { connect } from "node:tls";
import { type BrowserContext, type Page, chromium } from "playwright-core";
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test, vi } from "vitest";
import { WebSocketServer } from "ws";
import { available } from "../available.ts";
import { type StartedCommand, startCommand } from "../start-command.ts";
import { type WebApp, fileAt, received, startWebApp } from "./web-app.ts";

const FLAGS = [
  "--disable-gpu",
  "--disable-quic",
  "--no-first-run",
  "--disable-background-networking",
  "--disable-component-update",
  "--disable-sync",
];
const PAGE = `<!doctype html><title>The app</title>
<form method="post" enctype="multipart/form-data" action="/received"><input type="file" name="file"><button>Send</button></form>
<a download="file" href="/file">Download</a>`;

const LENGTH = 1_000_000;
const hasChromium = await available("chromium", "chromium", "--version");

let directory: string;
let hash: string;
const path = (name: string) => join(directory, name);
beforeAll(async () => {
  directory = await mkdtemp(join(tmpdir(), "tls-proxy-browser-"));
  const bytes = randomBytes(LENGTH);
  hash = createHash("sha256").update(bytes).digest("hex");
  await writeFile(path("file"), bytes);
});
afterAll(() => rm(directory, { recursive: true }));

/** A browser with a profile of its own. @param key the one that it trusts besides what the machine trusts */
async function startBrowser(profile: string, key?: string): Promise<BrowserContext> {
  return await chromium.launchPersistentContext(path(profile), {
    executablePath: "/usr/bin/chromium",
    chromiumSandbox: false,
    args: [...FLAGS, ...(key === undefined ? [] : [`--ignore-certificate-errors-spki-list=${key}`])],
  });
}

/** The hash of the public key that is served: Chromium verifies everything else as ever. */
async function keyOf({ port, ca }: StartedCommand): Promise<string> {
  const socket = connect({ host: "127.0.0.1", port, ca, servername: "localhost" });
  await once(socket, "secureConnect");
  const der = socket.getPeerX509Certificate()?.publicKey.export({ type: "spki", format: "der" });
  socket.destroy();
  return createHash("sha256")
    .update(der ?? "")
    .digest("base64");
}

function startApp(): Promise<WebApp> {
  const html = { "Content-Type": "text/html" };
  return startWebApp(
    {
      "/": (_request, response) => void response.writeHead(200, html).end(PAGE),
      "/received": received,
      "/file": fileAt(path("file")),
      "/login"(request, response) {
        const cookies = ["session=1; HttpOnly; Path=/", "theme=dark; SameSite=None"];
        response.writeHead(302, { "Set-Cookie": cookies, Location: `http://${request.headers.host}/` }).end();
      },
      "/events"(_request, response) {
        response.writeHead(200, { "Content-Type": "text/event-stream" });
        for (const number of [1, 2, 3]) response.write(`id: ${number}\ndata: event ${number}\n\n`);
      },
    },
    (server) => {
      new WebSocketServer({ server, path: "/echo" }).on("connection", (socket) => {
        socket.on("message", (data, isBinary) => socket.send(data, { binary: isBinary }));
      });
    },
  );
}

/** How the proxy is started, and what the browser then says that it spoke. */
const VARIANTS = [
  { engine: "relay", http2: "true", protocol: "h2" },
  { engine: "relay", http2: "false", protocol: "http/1.1" },
  { engine: "http-proxy", http2: "false", protocol: "http/1.1" },
];

describe.runIf(hasChromium).each(VARIANTS)(
  "Chromium, with the engine $engine, by $protocol",
  ({ engine, http2, protocol }) => {
    let app: WebApp;
    let proxy: StartedCommand;
    let browser: BrowserContext;
    let page: Page;
    beforeAll(async () => {
      app = await startApp();
      proxy = await startCommand(app.port, ["--engine", engine, `--http2=${http2}`]);
      browser = await startBrowser(`${engine}-${protocol.replace("/", "")}`, await keyOf(proxy));
    });
    afterAll(async () => {
      await browser.close();
      await proxy[Symbol.asyncDispose]();
      await app[Symbol.asyncDispose]();
    });
    beforeEach(async () => {
      page = await browser.newPage();
      await page.goto(url("/"));
    });
    afterEach(() => page.close());
    const url = (to: string) => `https://localhost:${proxy.port}${to}`;

    test("a page is a secure context, and all of it came by this protocol", async () => {
      const response = await page.reload();
      expect(await response?.securityDetails()).toMatchObject({
        protocol: "TLS 1.3",
        issuer: expect.stringMatching(/^Pillion development CA /),
      });
      expect(await page.title()).toBe("The app");
      expect(await page.evaluate("isSecureContext")).toBe(true);
      const codes =
        "Promise.all(Array.from({ length: 30 }, (_, i) => fetch(`/file?${i}`).then((r) => r.blob()).then((b) => b.size)))";
      expect(await page.evaluate(codes)).toEqual(Array.from({ length: 30 }, () => LENGTH));
      const spoken = "performance.getEntries().map((entry) => entry.nextHopProtocol).filter((name) => name)";
      const names = (await page.evaluate(spoken)) as string[];
      expect(names.length).toBeGreaterThan(30);
      expect(new Set(names)).toEqual(new Set([protocol]));
    });

    test("a form uploads a file", async () => {
      await page.setInputFiles("input", path("file"));
      await page.click("button");
      await page.waitForURL("**/received");
      const told = JSON.parse(await page.innerText("body")) as { length: number };
      expect(told).toMatchObject({ method: "POST", framing: "length" });
      expect(told.length).toBeGreaterThan(LENGTH);
    });

    test("a script uploads a file, and the app has the same bytes", async () => {
      await page.setInputFiles("input", path("file"));
      const upload = `fetch("/received", { method: "PUT", body: document.querySelector("input").files[0] }).then((r) => r.json())`;
      expect(await page.evaluate(upload)).toMatchObject({ method: "PUT", length: LENGTH, hash });
    });

    test("a download is saved whole", async () => {
      const [download] = await Promise.all([page.waitForEvent("download"), page.click("a")]);
      await download.saveAs(path("saved"));
      expect(
        createHash("sha256")
          .update(await readFile(path("saved")))
          .digest("hex"),
      ).toBe(hash);
    });

    test("a WebSocket: text and binary come back", async () => {
      const echo = `new Promise((resolve, reject) => {
      const got = [];
      const socket = new WebSocket("wss://" + location.host + "/echo");
      socket.binaryType = "arraybuffer";
      socket.onerror = () => reject(new Error("failed"));
      socket.onopen = () => { socket.send("hello"); socket.send(new Uint8Array(200000).fill(7)); };
      socket.onmessage = ({ data }) => {
        if (got.push(typeof data === "string" ? data : new Uint8Array(data).reduce((sum, byte) => sum + byte)) === 2) socket.close();
      };
      socket.onclose = ({ wasClean }) => resolve([...got, wasClean]);
    })`;
      expect(await page.evaluate(echo)).toEqual(["hello", 1_400_000, true]);
    });

    test("server-sent events come one by one, while the answer goes on", async () => {
      const listen = `new Promise((resolve, reject) => {
      const got = [];
      const source = new EventSource("/events");
      source.onerror = () => reject(new Error("failed"));
      source.onmessage = ({ data }) => { if (got.push(data) === 3) { source.close(); resolve(got); } };
    })`;
      expect(await page.evaluate(listen)).toEqual(["event 1", "event 2", "event 3"]);
      await vi.waitFor(() => expect(app.left).toContain("/events"));
    });

    // Chromium itself refuses SameSite=None without Secure.
    test("a log-in that redirects to http ends at https, and its cookies are Secure", async () => {
      await page.goto(url("/login"));
      expect(page.url()).toBe(url("/"));
      const cookies = await browser.cookies();
      expect(cookies.map(({ name, secure }) => [name, secure])).toEqual([
        ["session", true],
        ["theme", true],
      ]);
    });

    test("a browser that doesn't know the development CA shows no page", async () => {
      await using stranger = await startBrowser(`${engine}-stranger`);
      const [there] = stranger.pages();
      await expect(there?.goto(url("/"))).rejects.toThrow(/ERR_CERT_AUTHORITY_INVALID/);
    });
  },
);
