import { type Context, type Logger, type Loop, defineSidecar, repeat } from "@pillion/kit";
import { Git, type Source } from "./git.ts";
import { identity } from "./identity.ts";
import { addSyncMetrics } from "./metrics.ts";
import { type RepoUpdaterValues, linkPath, options } from "./options.ts";
import { Repository } from "./repository.ts";
import { splitCredentials } from "./repository-url.ts";
import { claimRoot } from "./root.ts";
import { type Round, Sync } from "./sync.ts";
import { Worktrees } from "./worktree.ts";

/** Keeps a link at the newest commit of a git repository, as a whole tree each time. */
export const repoUpdater = defineSidecar(identity, options, (values) => ({
  async start(context) {
    const root = await claimRoot(values.root);
    try {
      const { loop } = await follow(values, root.path, context);
      const stop = async () => {
        await loop.catch(() => {});
        await root[Symbol.asyncDispose]();
      };
      return { done: loop, reload: () => loop.now(), stop };
    } catch (error) {
      await root[Symbol.asyncDispose]();
      throw error;
    }
  },
}));

async function follow(values: RepoUpdaterValues, root: string, context: Context): Promise<{ readonly loop: Loop }> {
  const { signal, log, health, env } = context;
  const sync = assemble(values, root, env, log);
  const metrics = addSyncMetrics(context.metrics);
  const condition = health.condition("sync", "pending");
  const good = await sync.recover(signal);
  if (good !== undefined) {
    // The server may be away now: what the last run published is still in force.
    condition.ok();
    metrics.showCommit(good);
  } else {
    const { repo, ref, syncTimeout } = values;
    log.info({ repo: splitCredentials(repo).url, ref, atMost: syncTimeout }, "nothing published yet: fetching");
  }
  const over = new AbortController();
  const ending = AbortSignal.any([signal, over.signal]);
  const loop = repeat(
    values.period,
    { signal: ending, health: condition, maxFailures: mostFailures(values) },
    async () => {
      const onGood = (round: Round) => {
        metrics.succeeded(round);
        if (round.outcome === "updated") log.info({ commit: round.commit, link: linkPath(values) }, "published");
        // Now, and not when the loop says so: who waits for the content has no need to wait for the house-keeping.
        condition.ok();
      };
      await metrics.observe(() => sync.round(signal, onGood));
      if (values.once) over.abort();
    },
  );
  // Whoever waits for `done` may come later than the failure.
  loop.catch(() => {});
  // In an object: a promise that is returned as it is would be waited for.
  return { loop };
}

function assemble(values: RepoUpdaterValues, root: string, environment: Context["env"], log: Logger): Sync {
  const source = sourceOf(values);
  const git = new Git({ root, source, environment });
  const repository = new Repository(git, { root, source, depth: values.depth });
  const worktrees = new Worktrees(git, repository.directory);
  const { syncTimeout: timeout, staleWorktreeTimeout } = values;
  return new Sync({ git, repository, worktrees, root, link: linkPath(values), timeout, staleWorktreeTimeout, log });
}

function sourceOf({ repo, ref, username, password }: RepoUpdaterValues): Source {
  const { url, credentials } = splitCredentials(repo);
  if (username === undefined || password === undefined) return { url, ref, credentials: () => credentials };
  return { url, ref, credentials: () => ({ username, password: password.reveal() }) };
}

/** As in git-sync, where 0 and 1 both mean that the first failure is the last. */
function mostFailures({ maxFailures, once }: RepoUpdaterValues): number {
  const most = maxFailures ?? (once ? 1 : -1);
  return most < 0 ? Infinity : Math.max(1, most);
}
