import { afterAll, beforeAll } from "vitest";
import { type ProxyOptions, type StartedProxy, startProxy } from "../start-proxy.ts";
import { type Target, targetOf } from "./send-split.ts";

/** An app and the proxy in front of it; there as soon as tests run. */
export interface InFront<App> {
  app: App;
  proxy: StartedProxy;
  /** The proxy, as `sendSplit` wants it. */
  target: Target;
}

/** Starts an app and a proxy in front of it, for all tests of the suite that calls it. */
export function proxyInFront<App extends AsyncDisposable & { readonly port: number }>(
  startApp: () => Promise<App>,
  options: ProxyOptions = {},
): Readonly<InFront<App>> {
  const stack = new AsyncDisposableStack();
  const started = {} as InFront<App>;
  beforeAll(async () => {
    started.app = stack.use(await startApp());
    started.proxy = stack.use(await startProxy(started.app.port, options));
    started.target = targetOf(started.proxy);
  });
  afterAll(() => stack.disposeAsync());
  return started;
}
