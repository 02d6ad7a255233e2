import { UsageError } from "@pillion/kit";
import { expect, test } from "vitest";
import { relayTo } from "./relay-to.ts";

const APP = { host: "127.0.0.1", port: 8080 };

test.each([
  ["127.0.0.1:8080", {}, ["app: not an address. Give { host, port } or { path }"]],
  [{ host: "127.0.0.1", port: 99_999 }, {}, ["app: not an address. Give { host, port } or { path }"]],
  [undefined, { maxBody: 1 }, ["app: not an address. Give { host, port } or { path }"]],
  [APP, { maxBody: "3" }, ["maxBody \"'3'\": not a number. Give one from 0"]],
  [
    APP,
    { headTimeout: -1, hedTimeout: 1 },
    ['headTimeout "-1": not a number. Give one from 0', "hedTimeout: no such option"],
  ],
  [APP, { upstreamWait: NaN }, ['upstreamWait "NaN": not a number. Give one from 0']],
])("relayTo(%j, %j) says all that is wrong", (app, options, problems) => {
  const wrong = () => relayTo(app as never, options as never);
  expect(wrong).toThrow(UsageError);
  expect(wrong).toThrow(expect.objectContaining({ problems }));
});

test("what is undefined has its default", () => {
  expect(relayTo(APP, { maxBody: undefined } as never).open).toBe(0);
});
