// One pass that kills itself (SIGKILL) right after a step: crash-at.ts SOURCE TARGET QUERY STEP
// Steps: publish, tell, lives, republish, and write:N for the Nth mark.
import { parseProcessQuery } from "@pillion/procfs";
import { signalledApp } from "../src/app.ts";
import { Applier, type Reporter } from "../src/apply.ts";
import { directorySource } from "../src/directory-source.ts";
import { openTarget } from "../src/target.ts";

const [source = "", target = "", query = "", step = ""] = process.argv.slice(2);
const { signal } = new AbortController();
const silent = () => {};
const report: Reporter = {
  published: silent,
  notified: silent,
  committed: silent,
  wentBack: silent,
  lost: silent,
  failed: silent,
};

const { store, journal } = await openTarget(target);
const app = signalledApp({ text: query, query: parseProcessQuery(query) }, "SIGHUP");
let writes = 0;
crashAfter(store, "publish", () => "publish");
crashAfter(store, "republish", () => "republish");
crashAfter(app, "tell", () => "tell");
crashAfter(app, "lives", () => "lives");
crashAfter(journal, "write", () => `write:${++writes}`);
const applier = new Applier({ store, journal, app, settle: 300, keep: 1, report });
await applier.publish(await directorySource(source).read({ signal, quiet: 0 }), signal);
await applier.settle(signal);

function crashAfter<K extends string>(
  part: Record<K, (...words: never[]) => Promise<unknown>>,
  method: K,
  name: () => string,
): void {
  const original = part[method].bind(part) as (...words: unknown[]) => Promise<unknown>;
  part[method] = async (...words: unknown[]) => {
    const result = await original(...words);
    if (name() === step) process.kill(process.pid, "SIGKILL");
    return result;
  };
}
