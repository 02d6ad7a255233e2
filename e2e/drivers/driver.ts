/**
 * What runs an app and its sidecars as one group: plain processes, containers, or a pod. A scenario says what runs and
 * looks at it from outside; it knows nothing of the driver.
 */
export interface Driver {
  readonly name: DriverName;
  /** Why it can't run here, with the remedy; undefined when it can. */
  unavailable(): Promise<string | undefined>;
  /** Resolves when everything was started. @throws with the members' logs; nothing is left behind then */
  start(plan: GroupPlan): Promise<Group>;
}

export const driverNames = ["process", "image", "pod"] as const;
export type DriverName = (typeof driverNames)[number];

export const sidecarNames = ["topz", "tls-proxy", "repo-updater", "config-sync"] as const;
export type SidecarName = (typeof sidecarNames)[number];

/** `legacy-app` is examples/legacy-app/server.js; the others are what the distribution ships, which only containers have. */
export type AppProgram = "legacy-app" | "nginx" | "lighttpd";
export type MemberName = "app" | SidecarName;

/** The command line of a member, without the program. */
export type Flags = (places: Places) => readonly string[];

export interface GroupPlan {
  /** Files that have to be there before anything starts; all of them belong to the group's user then. */
  prepare?(places: Places): Promise<void>;
  /** It starts when every sidecar's `/startupz` says 200. Without an app, start() waits for nothing. */
  readonly app?: { readonly program: AppProgram; readonly flags: Flags };
  /** Besides these flags, each gets `--health-listen`, so that `address("topz")` answers probes and metrics of topz. */
  readonly sidecars: Readonly<Partial<Record<SidecarName, Flags>>>;
  /** Whether members see each other's processes. Default: true. */
  readonly sharedProcesses?: boolean;
  /** The user and group id in containers. Default: 65532. Processes run as whoever runs the test. */
  readonly user?: number;
  /** How often an engine runs the image's HEALTHCHECK. Default: as the image says. */
  readonly healthInterval?: string;
}

/** Where things are: the same for every member, and for the test. */
export interface Places {
  /** An empty directory at the same absolute path for all. */
  readonly directory: string;
  /** A port number of that name, free inside and outside. */
  port(name: string): number;
  /** The listen address, at the port of that name, of what is asked from outside: `127.0.0.1:P`, or `:P` in containers. */
  outside(name: string): string;
}

export type Health = "starting" | "healthy" | "unhealthy";

/** A group that runs. Disposal removes all of it. */
export interface Group extends AsyncDisposable {
  /** The sidecars, and then the app. */
  readonly members: readonly MemberName[];
  readonly places: Places;
  /** The user and group id that its members have. */
  readonly user: number;
  /** `127.0.0.1:P`, where the test reaches what listens on `outside(name)`. */
  address(name: string): string;
  /** Sends a signal to a member's first process. */
  kill(member: MemberName, signal: NodeJS.Signals): Promise<void>;
  /** Starts a member again that has ended. */
  start(member: MemberName): Promise<void>;
  /** Sends SIGTERM and waits for the end. */
  stop(member: MemberName): Promise<Ended>;
  /** Waits for a member that ends by itself. */
  ended(member: MemberName): Promise<Ended>;
  running(member: MemberName): Promise<boolean>;
  /** Everything a member wrote, of all its starts; nothing before the first. */
  log(member: MemberName): Promise<string>;
  /** What the image's HEALTHCHECK says; where no engine runs it, what `<sidecar> healthcheck` says now. */
  health(member: SidecarName): Promise<Health>;
  /** Names and pids of the group's processes that have ended and that nobody waited for. */
  zombies(): Promise<readonly string[]>;
}

export interface Ended {
  /** The exit code; 128 and the signal's number when a signal ended it. */
  readonly code: number;
  readonly milliseconds: number;
}
