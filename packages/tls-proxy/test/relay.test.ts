import { describe, expect, test, vi } from "vitest";
import { OK, answering, startRawApp } from "./raw-app.ts";
import { connectTo, exchange, startProxy } from "./start-proxy.ts";

const request = (line: string, fields = "") => `${line} HTTP/1.1\r\nHost: app\r\n${fields}\r\n`;

describe("pipelined requests", () => {
  test("reach the app one after the other, each when the one before is answered, and are answered in order", async () => {
    const open: number[] = [];
    let answers = 0;
    await using app = await startRawApp((socket, received) => {
      const paths = received.match(/(?<=GET )\S+/g) ?? [];
      open.push(paths.length - answers);
      setImmediate(() => {
        answers++;
        socket.write(`HTTP/1.1 200 OK\r\nX-Path: ${paths.at(-1)}\r\nContent-Length: 0\r\n\r\n`);
      });
    });
    await using proxy = await startProxy(app.port);
    const pipeline = [1, 2, 3, 4, 5].map((number) => request(`GET /${number}`)).join("");
    const text = await exchange(proxy, pipeline + request("GET /6", "Connection: close\r\n"));
    expect(text.match(/X-Path: \/\d/g)).toEqual([1, 2, 3, 4, 5, 6].map((number) => `X-Path: /${number}`));
    expect([app.received.length, open]).toEqual([1, [1, 1, 1, 1, 1, 1]]);
  });

  test("behind a body are the next request, wherever the bytes are cut", async () => {
    await using app = await startRawApp((socket, received) => {
      const complete = received.match(/(hello|0\r\n\r\n)(?=POST|$)/g)?.length ?? 0;
      while (socket.bytesWritten < complete * OK.length) socket.write(OK);
    });
    await using proxy = await startProxy(app.port);
    const post = `${request("POST /a", "Content-Length: 5\r\n")}hello`;
    const chunked = `${request("POST /b", "Transfer-Encoding: chunked\r\n")}5\r\nchunk\r\n0\r\n\r\n`;
    const client = await connectTo(proxy);
    for (const octet of (post + chunked + post).split("")) client.send(octet);
    await vi.waitFor(() => expect(client.text().match(/200 OK/g)).toHaveLength(3));
    const lines = app.received.join("").match(/POST \/\w/g);
    expect(lines).toEqual(["POST /a", "POST /b", "POST /a"]);
    client.socket.destroy();
  });

  test("that come with an empty line before each are all served (RFC 9112 §2.2)", async () => {
    await using app = await startRawApp(answering(OK));
    await using proxy = await startProxy(app.port);
    const client = await connectTo(proxy);
    const beginnings = [["\r\n"], ["\r\n", ""], [""], ["\r", "\n"], ["\r\n"]];
    for (const [index, beginning] of beginnings.entries()) {
      const last = beginning.at(-1) ?? "";
      for (const bytes of beginning.slice(0, -1)) client.send(bytes);
      client.send(last + request("GET /"));
      await vi.waitFor(() => expect(client.text().match(/200 OK/g)).toHaveLength(index + 1));
    }
    client.socket.destroy();
  });
});

describe("a client that says close", () => {
  const gone = async (answers: readonly string[], ...requests: readonly string[]) => {
    await using app = await startRawApp((socket, received) => {
      const count = received.match(/\r\n\r\n/g)?.length ?? 0;
      socket.write(answers[count - 1] ?? "");
    });
    await using proxy = await startProxy(app.port);
    const client = await connectTo(proxy);
    client.socket.allowHalfOpen = true;
    for (const [index, one] of requests.entries()) {
      client.send(one);
      await vi.waitFor(() => expect(client.text().match(/HTTP\/1.1 200/g)).toHaveLength(index + 1));
    }
    await vi.waitFor(() => expect(client.socket.readableEnded).toBe(true));
    const isGone = await vi
      .waitFor(() => expect(proxy.front.open).toBe(0))
      .then(
        () => true,
        () => false,
      );
    client.socket.destroy();
    return isGone;
  };
  const ofLength = (length: number) => `HTTP/1.1 200 OK\r\nContent-Length: ${length}\r\n\r\n${"x".repeat(length)}`;
  const last = request("GET /", "Connection: close\r\n");

  test.each([
    ["a short answer", true, [OK], [last]],
    ["a short answer to HTTP/1.0", true, [OK], ["GET / HTTP/1.0\r\n\r\n"]],
    ["a long answer", false, [ofLength(8192)], [last]],
    ["an answer to a body", false, [OK], [`${request("POST /", "Content-Length: 1\r\nConnection: close\r\n")}x`]],
    ["a short answer behind others", true, [OK, OK], [request("GET /"), last]],
    ["a short answer behind a long one", false, [ofLength(8192), OK], [request("GET /"), last]],
  ])("behind %s the connection is gone at once: %s", async (_what, expected, answers, requests) => {
    expect(await gone(answers, ...requests)).toBe(expected);
  });

  test.each([
    ["an empty line", "\r\n"],
    ["one more request", request("GET /second")],
  ])(
    "gets a long answer whole, however late it begins to read, and though it sends %s meanwhile",
    async (_what, late) => {
      const body = "x".repeat(700_000); // as much as the kernel takes of an answer that nobody reads
      await using app = await startRawApp(
        answering(`HTTP/1.1 200 OK\r\nContent-Length: ${body.length}\r\n\r\n${body}`),
      );
      await using proxy = await startProxy(app.port);
      const client = await connectTo(proxy);
      client.socket.pause();
      client.send(`${request("POST /", "Content-Length: 2\r\nConnection: close\r\n")}ab`);
      await vi.waitFor(() => expect(proxy.told).toContain("answered 200"));
      client.send(late);
      client.socket.resume();
      expect((await client.closed).slice(-body.length)).toBe(body);
      expect(app.received.join("")).not.toContain("/second");
    },
  );

  test("and sends one more request all the same gets the first answer, and no second", async () => {
    await using app = await startRawApp(answering(OK));
    await using proxy = await startProxy(app.port);
    const text = await exchange(proxy, request("GET /", "Connection: close\r\n") + request("GET /second"));
    expect(text).toMatch(/ok$/);
    expect(app.received.join("")).not.toContain("/second");
  });
});

describe("an answer before the upload is over", () => {
  const early = "HTTP/1.1 403 No\r\nContent-Length: 2\r\n\r\nno";

  test.each([
    ["a length", "Content-Length: 1000000\r\n", "x".repeat(1_000_000)],
    ["chunks", "Transfer-Encoding: chunked\r\n", `f4240\r\n${"x".repeat(1_000_000)}\r\n0\r\n\r\n`],
  ])("of %s: the rest goes nowhere, and the connection lives on", async (_name, framing, body) => {
    await using app = await startRawApp((socket, received) => {
      if (received.includes("POST /early") && socket.bytesWritten === 0) socket.end(early);
      else if (received.startsWith("GET /next") && received.endsWith("\r\n\r\n")) socket.write(OK);
    });
    await using proxy = await startProxy(app.port);
    const client = await connectTo(proxy);
    client.send(request("POST /early", framing));
    await client.receives(/403 No[^]*no$/);
    client.send(body);
    client.send(request("GET /next"));
    await client.receives(/ok$/);
    expect(app.received.join("")).not.toContain("GET /next HTTP/1.1\r\nHost: app\r\nx");
    expect(app.received.at(-1)).toMatch(/^GET \/next /);
    client.socket.destroy();
  });

  test("to a client that expects a 100: it may hold its body back, so the connection ends", async () => {
    await using app = await startRawApp((socket) => void socket.write(early));
    await using proxy = await startProxy(app.port);
    const text = await exchange(proxy, request("POST /", "Expect: 100-continue\r\nContent-Length: 5\r\n"));
    expect(text).toMatch(/^HTTP\/1\.1 403 No\r\n[^]*Connection: close\r\n[^]*no$/);
  });
});

test("100 and 103 are passed on, and the body follows the 100", async () => {
  await using app = await startRawApp((socket, received) => {
    if (received.endsWith("\r\n\r\n"))
      socket.write("HTTP/1.1 103 Early Hints\r\nLink: </a>\r\n\r\nHTTP/1.1 100 Go on\r\n\r\n");
    if (received.endsWith("hello")) socket.write(OK);
  });
  await using proxy = await startProxy(app.port);
  const client = await connectTo(proxy);
  client.send(request("POST /", "Expect: 100-continue\r\nContent-Length: 5\r\n"));
  await client.receives(/^HTTP\/1\.1 103 Early Hints\r\nLink: <\/a>\r\n\r\nHTTP\/1\.1 100 Go on\r\n\r\n$/);
  client.send("hello");
  expect(await client.receives(/\r\n\r\nok$/)).toMatch(/\r\n\r\nHTTP\/1\.1 200 OK\r\n/);
  client.socket.destroy();
});

describe("a connection that the app had closed when a request came", () => {
  test.each([
    ["GET", "", "", 200],
    ["PUT", "", "", 200],
    ["PUT", "Content-Length: 5\r\n", "hello", 502],
    ["POST", "", "", 502],
    ["PATCH", "", "", 502],
    ["MKCOL", "", "", 502],
  ])("%s %j %j: %i", async (method, fields, body, status) => {
    const answered = answering(OK);
    let closes = true;
    await using app = await startRawApp((socket, received) => {
      // The second request on the first connection meets its end: reset without an answer.
      if (closes && received.includes("/second")) {
        closes = false;
        socket.resetAndDestroy();
      } else answered(socket, received);
    });
    await using proxy = await startProxy(app.port);
    const client = await connectTo(proxy);
    client.send(request("GET /first"));
    await client.receives(/ok$/);
    client.send(request(`${method} /second`, fields) + body);
    await client.receives(new RegExp(`ok[^]*HTTP/1\\.1 ${status} `));
    expect(app.received.join("").split("/second")).toHaveLength(status === 200 ? 3 : 2);
    client.socket.destroy();
  });

  test("is repeated on a new one, once more if that is reset as well, and then is a 502", async () => {
    const answered = answering(OK);
    await using app = await startRawApp((socket, received) => {
      if (received.includes("/second")) socket.resetAndDestroy();
      else answered(socket, received);
    });
    await using proxy = await startProxy(app.port);
    const client = await connectTo(proxy);
    client.send(request("GET /first"));
    await client.receives(/ok$/);
    client.send(request("GET /second"));
    await client.receives(/HTTP\/1\.1 502 /);
    expect(app.received.join("").split("/second")).toHaveLength(4);
    client.socket.destroy();
  });
});

test("trailers and chunks pass both ways, extensions don't", async () => {
  await using app = await startRawApp((socket, received) => {
    if (received.endsWith("X-Sum: 1\r\n\r\n"))
      socket.write(
        "HTTP/1.1 200 OK\r\nTrailer: X-Time\r\nTransfer-Encoding: chunked\r\n\r\n2;a=b\r\nok\r\n0\r\nX-Time: 2\r\nSet-Cookie: a\r\n\r\n",
      );
  });
  await using proxy = await startProxy(app.port);
  const body = "5;x=y\r\nhello\r\n0\r\nX-Sum: 1\r\n\r\n";
  const text = await exchange(
    proxy,
    request("POST /", "Trailer: X-Sum\r\nTransfer-Encoding: chunked\r\nConnection: close\r\n") + body,
  );
  expect(app.received[0]).toMatch(/\r\nTrailer: X-Sum\r\n[^]*\r\n\r\n5\r\nhello\r\n0\r\nX-Sum: 1\r\n\r\n$/);
  expect(text).toMatch(/\r\nTrailer: X-Time\r\n[^]*\r\n\r\n2\r\nok\r\n0\r\nX-Time: 2\r\n\r\n$/);
});
