import { once } from "node:events";
import { type IncomingHttpHeaders, request } from "node:http";
import { afterAll, beforeAll, beforeEach, expect, test } from "vitest";
import { listenHttp } from "./listen.ts";
import { Routes, sendJson, sendText } from "./routes.ts";

const problems: unknown[] = [];
const routes = new Routes((error) => problems.push(error));
let port: number;
let close: () => Promise<void>;

beforeAll(async () => {
  routes.add("GET /hello", (_request, response) => sendText(response, 200, "grüß dich\n"));
  routes.add("POST /hello", (_request, response) => sendJson(response, 201, { made: true }));
  routes.add("GET /processes/:pid", (_request, response, { params, url }) =>
    sendJson(response, 200, { params, deep: url.searchParams.get("deep") }),
  );
  routes.add("GET /throws", () => {
    throw new Error("broken");
  });
  routes.add("GET /rejects-late", async (_request, response) => {
    response.writeHead(200).write("half an ");
    await Promise.reject(new Error("broken late"));
  });
  const server = await listenHttp(routes, { host: "127.0.0.1", port: 0 }, "--listen");
  if ("port" in server.address) port = server.address.port;
  close = () => server.close();
});
afterAll(() => close());
beforeEach(() => void problems.splice(0));

interface Answer {
  readonly status: number | undefined;
  readonly headers: IncomingHttpHeaders;
  readonly text: string;
}

async function ask(path: string, method = "GET", host?: string): Promise<Answer> {
  const asked = request({ host: "127.0.0.1", port, path, method, agent: false, ...(host && { headers: { host } }) });
  asked.end();
  const [answer] = await once(asked, "response");
  let text = "";
  for await (const part of answer.setEncoding("utf8")) text += part;
  return { status: answer.statusCode, headers: answer.headers, text };
}

test("a route answers its method and path, in whole bytes", async () => {
  const { status, headers, text } = await ask("/hello");
  expect({ status, text }).toEqual({ status: 200, text: "grüß dich\n" });
  expect(headers).toMatchObject({
    "content-type": "text/plain; charset=utf-8",
    "content-length": String(Buffer.byteLength(text)),
    "cache-control": "no-store",
    "x-content-type-options": "nosniff",
  });
  expect(await ask("/hello", "POST")).toMatchObject({ status: 201, text: '{"made":true}\n' });
});

test("HEAD gets what GET gets, without the body", async () => {
  const { status, headers, text } = await ask("/hello", "HEAD");
  expect({ status, text, length: headers["content-length"] }).toEqual({ status: 200, text: "", length: "12" });
});

test("parameters come out of the path, the query out of the URL", async () => {
  const { text } = await ask("/processes/42%20a?deep=1");
  expect(JSON.parse(text)).toEqual({ params: { pid: "42%20a" }, deep: "1" });
  expect((await ask("/processes/42/threads")).status).toBe(404);
  expect((await ask("/processes/")).status).toBe(404);
});

test("another path is 404, another method 405 with those that are allowed", async () => {
  expect((await ask("/nothing")).status).toBe(404);
  const { status, headers } = await ask("/hello", "DELETE");
  expect({ status, allow: headers.allow }).toEqual({ status: 405, allow: "GET, HEAD, POST" });
});

test.each(["//evil.example/hello", "/a/../hello", "/hello?x=%", "http://localhost/hello"])(
  "the target %s is read as a path",
  async (path) => {
    expect((await ask(path)).status).toBe(200);
  },
);

test("a handler that throws is 500, the server goes on, and the client learns nothing of the reason", async () => {
  const { status, text } = await ask("/throws");
  expect(status).toBe(500);
  expect(text).not.toContain("broken");
  expect(problems).toEqual([new Error("broken")]);
  expect((await ask("/hello")).status).toBe(200);
});

test("a kept connection survives a handler that throws", async () => {
  const answers = await Promise.all(
    ["/throws", "/hello", "/throws", "/hello"].map((path) => fetch(`http://127.0.0.1:${port}${path}`)),
  );
  expect(answers.map(({ status }) => status)).toEqual([500, 200, 500, 200]);
  const { connect } = await import("node:net");
  const socket = connect(port, "127.0.0.1");
  socket.write(
    "GET /throws HTTP/1.1\r\nHost: localhost\r\n\r\nGET /hello HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n",
  );
  let text = "";
  for await (const part of socket.setEncoding("utf8")) text += part;
  expect(text.match(/HTTP\/1\.1 \d+/g)).toEqual(["HTTP/1.1 500", "HTTP/1.1 200"]);
});

test("an answer that fails half way is cut off, not ended as if it were whole", async () => {
  await expect(ask("/rejects-late")).rejects.toThrow("aborted");
  expect(problems).toEqual([new Error("broken late")]);
  expect((await ask("/hello")).status).toBe(200);
});

test.each(["evil.example", "evil.example:9180", "127.0.0.1.evil.example", "10.0.0.1"])(
  "on loopback the name %s is refused: a page of that site points it here",
  async (host) =>
    expect(await ask("/hello", "GET", host)).toMatchObject({ status: 421, text: expect.not.stringContaining("grüß") }),
);

test.each(["localhost", "localhost:9180", "127.0.0.1:1", "[::1]:9180", "[::1]", "topz.localhost"])(
  "on loopback the name %s is served",
  async (host) => expect((await ask("/hello", "GET", host)).status).toBe(200),
);
