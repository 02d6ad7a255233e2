import { collectOptions } from "./command-line.ts";
import { PillionError, UsageError, messageOf, systemCode } from "./errors.ts";
import { probe } from "./healthcheck.ts";
import { helpText } from "./help.ts";
import { type Host, processHost } from "./host.ts";
import type { Identity } from "./identity.ts";
import { type Logger, createLog } from "./log.ts";
import { type OptionTable, type Options, defineOptions } from "./options.ts";
import { Program } from "./program.ts";
import { readOptions } from "./read-options.ts";
import { type RunnerValues, runnerTable } from "./runner-options.ts";
import type { Factory, Sidecar } from "./sidecar.ts";

/** Exit codes: the work is over or was ended cleanly; it failed; it was called wrongly. */
const EXIT = { clean: 0, failed: 1, misused: 2 } as const;
/** A terminal's Ctrl-C reaches a process twice when npm passes it on as well: that is one request. Milliseconds. */
const SAME_REQUEST = 500;

/** What several configured sidecars in one process are called together. */
const COMPOSED: Identity = {
  name: "pillion",
  version: "",
  description: "several sidecars in one process.",
  adminListen: "127.0.0.1:9190",
};

/**
 * Runs a sidecar as this process: flags, environment, help, signals, probes, metrics, exit code. Several configured
 * ones run as one program; they take the runner's own options only.
 */
export async function run<T extends OptionTable>(
  target: Factory<T> | readonly Sidecar[],
  host: Host = processHost(),
): Promise<void> {
  const { name, adminListen } = "configured" in target ? target.identity : COMPOSED;
  if (host.argv[0] === "healthcheck") return probe(name, adminListen);
  host.exit(await main(target as Factory | readonly Sidecar[], host));
}

async function main(target: Factory | readonly Sidecar[], host: Host): Promise<number> {
  if (typeof URLPattern === "undefined") {
    host.stderr.write(`Node.js ${process.versions.node} is too old: version 24.15 or later is needed\n`);
    return EXIT.failed;
  }
  const invocation = readInvocation(target, host);
  if ("text" in invocation) {
    (invocation.code === EXIT.clean ? host.stdout : host.stderr).write(`${invocation.text}\n`);
    return invocation.code;
  }
  const { sidecars, settings, warnings } = invocation;
  const log = await createLog({ level: settings.logLevel, format: settings.logFormat }, host.stdout);
  outliveOutput(host);
  for (const warning of warnings) log.warn(warning);
  return await supervise(new Program({ sidecars, settings, log, env: host.env }), log, host);
}

/** What is lost is lines: a log that can't be written is no reason to leave the app alone. */
function outliveOutput(host: Host): void {
  let isTold = false;
  host.onOutputLost((error) => {
    if (isTold) return;
    isTold = true;
    const reason = systemCode(error) ?? messageOf(error);
    host.stderr.write(
      `standard output can't be written (${reason}): lines of the log are lost until it can be again\n`,
    );
  });
}

type Invocation =
  | { readonly text: string; readonly code: number }
  | { readonly sidecars: readonly Sidecar[]; readonly settings: RunnerValues; readonly warnings: readonly string[] };

function readInvocation(target: Factory | readonly Sidecar[], host: Host): Invocation {
  const factory = "configured" in target ? target : undefined;
  const identity = factory?.identity ?? COMPOSED;
  const own: Options = factory?.options ?? defineOptions({});
  const runner = defineOptions(runnerTable(identity));
  const table: OptionTable = { ...own.table, ...runner.table };
  const { written, help, version, ...collected } = collectOptions(table, {
    name: identity.name,
    argv: host.argv,
    env: host.env,
  });
  if (help) return { text: helpText(identity, table), code: EXIT.clean };
  if (version) return { text: `${identity.name} ${identity.version}`.trim(), code: EXIT.clean };
  const ours = readOptions(own, written);
  const settings = readOptions(runner, written);
  const problems = [...collected.problems, ...ours.problems, ...settings.problems];
  if (problems.length > 0) return { text: usage(identity.name, problems), code: EXIT.misused };
  const sidecars = factory ? [factory.configured(ours.values)] : (target as readonly Sidecar[]);
  return { sidecars, settings: settings.values, warnings: collected.warnings };
}

function usage(name: string, problems: readonly string[]): string {
  const count = problems.length === 1 ? "a problem" : `${problems.length} problems`;
  return [`${name}: ${count} with the options`, ...problems.map((problem) => `  ${problem}`)].join("\n");
}

/** Starts the program, waits for a signal, for its end or for a failure, and takes it down. */
async function supervise(program: Program, log: Logger, host: Host): Promise<number> {
  const stopRequested = Promise.withResolvers<"signal">();
  let requestedAt: number | undefined;
  host.onSignal((signal) => {
    if (signal === "SIGHUP") return void program.reload();
    if (requestedAt === undefined) {
      log.info({ signal }, "stopping");
      requestedAt = host.now();
      stopRequested.resolve("signal");
    } else if (host.now() - requestedAt > SAME_REQUEST) {
      log.warn({ signal }, "asked twice, exiting at once");
      host.exit(EXIT.failed);
    }
  });
  host.onCrash((error) => {
    log.fatal({ stack: error instanceof Error ? error.stack : undefined }, `unexpected error: ${messageOf(error)}`);
    host.exit(EXIT.failed);
  });
  try {
    const started = program.start().then(() => host.started());
    const outcome = await Promise.race([stopRequested.promise, started.then(() => program.finished())]);
    const clean = await program.stop({ delay: outcome === "signal" });
    return clean ? EXIT.clean : EXIT.failed;
  } catch (error) {
    log.error(detailsOf(error), messageOf(error));
    await program.stop({ delay: false, failures: [error] });
    return error instanceof UsageError ? EXIT.misused : EXIT.failed;
  }
}

/** What is expected has a code and says it all; for what isn't, the place where it happened. */
function detailsOf(error: unknown): Record<string, unknown> {
  if (error instanceof PillionError) return { code: error.code };
  return { stack: error instanceof Error ? error.stack : undefined };
}
