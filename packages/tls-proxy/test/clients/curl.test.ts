import { execFile, spawn } from "node:child_process";
import { createHash, randomBytes } from "node:crypto";
import { createReadStream } from "node:fs";
import { mkdtemp, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { text } from "node:stream/consumers";
import { pipeline } from "node:stream/promises";
import { promisify } from "node:util";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { type StartedCommand, startCommand } from "../start-command.ts";
import { engines } from "../start-proxy.ts";
import { type WebApp, fileAt, received, startWebApp } from "./web-app.ts";

const LENGTH = 64 * 1024 * 1024;
let directory: string;
let hash: string;
const path = (name: string) => join(directory, name);
beforeAll(async () => {
  directory = await mkdtemp(join(tmpdir(), "tls-proxy-curl-"));
  const bytes = randomBytes(LENGTH);
  hash = createHash("sha256").update(bytes).digest("hex");
  await writeFile(path("sent"), bytes);
});
afterAll(() => rm(directory, { recursive: true }));

async function hashOf(file: string): Promise<string> {
  const sum = createHash("sha256");
  for await (const bytes of createReadStream(file)) sum.update(bytes as Buffer);
  return sum.digest("hex");
}

describe.each(engines)("curl, with the engine %s", (engine) => {
  /** What the engine http-proxy doesn't have isn't skipped for it: there is no such test. */
  const relayAlone = engine === "relay" ? [engine] : [];
  let app: WebApp;
  let proxy: StartedCommand;
  beforeAll(async () => {
    app = await startWebApp({
      "/": (request, response) =>
        void response.end(`${request.httpVersion} ${String(request.headers["x-forwarded-proto"])}`),
      "/file": fileAt(path("sent")),
      "/received": received,
      "/refused": (_request, response) => void response.writeHead(413).end("too long"),
      "/chunks": (_request, response) => {
        for (const piece of ["one ", "two ", "three"]) response.write(piece);
        response.end();
      },
      "/trailers": (_request, response) => {
        response.writeHead(200, { Trailer: "Content-MD5" }).write("body");
        response.addTrailers({ "Content-MD5": "hBUbFH9bJhbe1pbO2DhfuQ==" });
        response.end();
      },
      "/unchanged": (_request, response) => void response.writeHead(304, { ETag: '"1"', "Content-Length": 9 }).end(),
      "/none": (_request, response) => void response.writeHead(204).end(),
      "/login": (request, response) => {
        response.setHeader("Set-Cookie", "session=1; HttpOnly; Path=/");
        response.writeHead(302, { Location: `http://${request.headers.host}/` }).end();
      },
      "/short": (_request, response) => {
        response.writeHead(200, { "Content-Length": 100 }).write("half", () => response.destroy());
      },
      "/short-chunks": (_request, response) => void response.write("half", () => response.destroy()),
    });
    proxy = await startCommand(app.port, ["--engine", engine]);
  });
  afterAll(async () => {
    await proxy[Symbol.asyncDispose]();
    await app[Symbol.asyncDispose]();
  });

  const url = (page: string) => `https://localhost:${proxy.port}${page}`;
  const always = () => ["-q", "--noproxy", "*", "-4", "--silent", "--show-error", "--cacert", proxy.caPath];
  /** @throws with curl's exit code as `code` */
  async function curl(...words: readonly string[]): Promise<string> {
    return (await promisify(execFile)("curl", [...always(), "--http1.1", "--max-time", "30", ...words])).stdout;
  }
  /** The same with a file as its standard input. */
  async function curlReading(file: string, ...words: readonly string[]): Promise<string> {
    const child = spawn("curl", [...always(), "--http1.1", ...words], { stdio: ["pipe", "pipe", "inherit"] });
    const [said] = await Promise.all([text(child.stdout), pipeline(createReadStream(file), child.stdin)]);
    return said;
  }

  test("GET: HTTP/1.1, and the app knows that it was https", async () => {
    expect(await curl("-w", " %{http_version} %{ssl_verify_result}", url("/"))).toBe("1.1 https 1.1 0");
  });

  test("HEAD: the length is told, and nothing hangs", async () => {
    expect(await curl("--head", url("/file"))).toMatch(
      new RegExp(`^HTTP/1.1 200 OK\r\n[^]*Content-Length: ${LENGTH}\r\n`, "i"),
    );
  });

  test("64 MiB down are the same bytes", async () => {
    await curl("-o", path("got"), url("/file"));
    expect(await hashOf(path("got"))).toBe(hash);
  });

  test("64 MiB up by length are the same bytes", async () => {
    const told = JSON.parse(await curl("-T", path("sent"), url("/received"))) as unknown;
    expect(told).toEqual({ method: "PUT", framing: "length", length: LENGTH, hash });
  });

  test("64 MiB up in chunks are the same bytes", async () => {
    const told = JSON.parse(await curlReading(path("sent"), "-T", "-", url("/received"))) as unknown;
    expect(told).toEqual({ method: "PUT", framing: "chunked", length: LENGTH, hash });
  });

  test("a form with a file", async () => {
    await writeFile(path("small"), "x".repeat(100));
    const told = JSON.parse(await curl("-F", `file=@${path("small")}`, url("/received"))) as unknown;
    expect(told).toMatchObject({ method: "POST", framing: "length" });
  });

  // Without a 100, curl would wait for 25 s, and this test fail.
  test("Expect: 100-continue: sent on when the app says so", async () => {
    const words = ["-H", "Expect: 100-continue", "--expect100-timeout", "25", "--max-time", "20"];
    expect(await curl(...words, "-T", path("small"), url("/received"))).toContain('"length":100');
  });

  test("Expect: 100-continue: nothing of the body is sent when the app refuses", async () => {
    const words = ["-H", "Expect: 100-continue", "--expect100-timeout", "25", "-w", " %{http_code} %{size_upload}"];
    expect(await curl(...words, "-T", path("sent"), url("/refused"))).toBe("too long 413 0");
  });

  test("a range of a file", async () => {
    const whole = await readFile(path("sent"));
    await curl("-r", "1000000-1999999", "-D", path("head"), "-o", path("part"), url("/file"));
    expect(await readFile(path("head"), "utf8")).toMatch(/^HTTP\/1.1 206 [^]*bytes 1000000-1999999\/67108864\r\n/);
    expect((await readFile(path("part"))).equals(whole.subarray(1_000_000, 2_000_000))).toBe(true);
  });

  test("one connection serves request after request, whatever their answers", async () => {
    const pages = ["/", "/unchanged", "/chunks", "/none", "/trailers", "/received"];
    const asked = pages.flatMap((page) => ["-o", "/dev/null", url(page)]);
    expect(await curl("-w", "%{http_code}:%{num_connects} ", ...asked)).toBe("200:1 304:0 200:0 204:0 200:0 200:0 ");
    // A new request's options start from nothing, but its connection is there.
    const next = ["--next", ...always(), "--http1.1", "-I", "-w", "%{num_connects}", "-o", "/dev/null", url("/file")];
    expect(await curl("-o", "/dev/null", url("/"), ...next)).toBe("0");
  });

  test("HTTP/1.0 gets an answer in chunks as bytes up to the end", async () => {
    const told = await curl("-i", "--http1.0", url("/chunks"));
    expect(told).toMatch(/\r\n\r\none two three$/);
    expect(told).not.toMatch(/transfer-encoding/i);
  });

  test.each(relayAlone)("trailers arrive behind the body", async () => {
    expect(await curl("-D", path("head"), url("/trailers"))).toBe("body");
    expect(await readFile(path("head"), "utf8")).toMatch(/\r\n\r\nContent-MD5: hBUbFH9bJhbe1pbO2DhfuQ==\r\n$/i);
  });

  test("a log-in that redirects to http: curl follows to https, with a cookie that is Secure", async () => {
    const words = ["-L", "--proto", "=https", "-c", path("jar"), "-w", " %{num_redirects} %{scheme}"];
    expect(await curl(...words, url("/login"))).toBe("1.1 https 1 HTTPS");
    expect(await readFile(path("jar"), "utf8")).toMatch(/^#HttpOnly_localhost\tFALSE\t\/\tTRUE\t0\tsession\t1$/m);
  });

  test.each(["/short", "/short-chunks"])("%s, an answer that breaks off, is seen to", async (page) => {
    const failed = { code: expect.toBeOneOf([18, 56]), stdout: "half" };
    await expect(curl(url(page))).rejects.toMatchObject(failed);
  });

  test("fifty at a time, two hundred in all", async () => {
    const words = ["--parallel", "--parallel-max", "50", "--no-progress-meter", "-o", "/dev/null"];
    const codes = await curl(...words, "-w", "%{http_code}\n", `${url("/chunks")}?[1-200]`);
    expect(codes).toBe("200\n".repeat(200));
  });

  describe.each(relayAlone)("by HTTP/2", () => {
    /** The later --http2 goes before. */
    const curl2 = (...words: readonly string[]) => curl("--http2", ...words);

    test("64 MiB down are the same bytes", async () => {
      expect(await curl2("-o", path("got"), "-w", "%{http_version}", url("/file"))).toBe("2");
      expect(await hashOf(path("got"))).toBe(hash);
    });

    test("64 MiB up by length are the same bytes", async () => {
      const told = JSON.parse(await curl2("-T", path("sent"), url("/received"))) as unknown;
      expect(told).toEqual({ method: "PUT", framing: "length", length: LENGTH, hash });
    });

    test("64 MiB up without a length are the same bytes", async () => {
      const told = JSON.parse(await curlReading(path("sent"), "--http2", "-T", "-", url("/received"))) as unknown;
      expect(told).toEqual({ method: "PUT", framing: "chunked", length: LENGTH, hash });
    });

    test("one connection serves request after request, whatever their answers", async () => {
      const asked = ["/", "/unchanged", "/chunks", "/none", "/trailers"].flatMap((to) => ["-o", "/dev/null", url(to)]);
      const codes = await curl2("-w", "%{http_code}:%{num_connects} ", ...asked);
      expect(codes).toBe("200:1 304:0 200:0 204:0 200:0 ");
    });

    test.each(["/short", "/short-chunks"])("%s, an answer that breaks off, is seen to", async (page) => {
      await expect(curl2(url(page))).rejects.toMatchObject({ code: expect.toBeOneOf([18, 56, 92]) });
    });

    test("fifty at a time, two hundred in all, on one connection", async () => {
      const words = ["--parallel", "--parallel-max", "50", "--no-progress-meter", "-o", "/dev/null"];
      const codes = await curl2(...words, "-w", "%{http_code}\n", `${url("/chunks")}?[1-200]`);
      expect(codes).toBe("200\n".repeat(200));
    });
  });
});
