import { expect, test } from "vitest";
import { appAbsent } from "./errors.ts";

test.each([
  ["somewhere among others", [], 7, /waits for it$/],
  ["in a PID namespace of its own", [], 1, /Nobody else is to be seen from here: share the app's processes/],
  [
    "beside names that are longer",
    ["node-MainThread"],
    1,
    /Running names that begin so: node-MainThread\. Give a whole name/,
  ],
])("an app that isn't found, %s", (_where, longer, pid, message) => {
  expect(appAbsent("name=node", longer, pid).message).toMatch(message);
});
