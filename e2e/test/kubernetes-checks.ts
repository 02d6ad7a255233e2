import { configSync } from "@pillion/config-sync";
import {
  type Factory,
  type OptionTable,
  defineOptions,
  defineSidecar,
  messageOf,
  parseAddress,
  runnerTable,
} from "@pillion/kit";
import { repoUpdater } from "@pillion/repo-updater";
import { tlsProxy } from "@pillion/tls-proxy";
import { topz } from "@pillion/topz";
import type { IContainer, IPod, IProbe } from "kubernetes-models/v1";
import { containersOf } from "./kubernetes-manifests.ts";

const factories = [topz, tlsProxy, repoUpdater, configSync] as unknown as Factory[];
const sidecars = new Map(factories.map((factory) => [`pillion/${factory.identity.name}`, factory]));
const APP = "pillion/legacy-app";

/** What is wrong with a pod of the family beyond what Kubernetes' schemas know. */
export function podProblems(pod: IPod): string[] {
  const containers = containersOf(pod.spec);
  const places = containers.flatMap((container) => [
    ...imageProblems(container),
    ...flagProblems(container),
    ...mountProblems(container, pod),
    ...portProblems(container, containers),
    ...containerRestrictions(container),
  ]);
  return [...places, ...unusedVolumes(pod), ...podRestrictions(pod)];
}

function imageProblems({ name, image = "" }: IContainer): string[] {
  if (image === APP ? name === "app" : image === `pillion/${name}` && sidecars.has(image)) return [];
  return [`${name}: image ${image} is not in the family`];
}

/** Each flag is one that the sidecar has, with a value that it takes. */
function flagProblems({ name, image = "", args = [] }: IContainer): string[] {
  const factory = sidecars.get(image);
  if (!factory) return [];
  const { identity, options } = factory;
  const table: OptionTable = { ...options.table, ...runnerTable(identity) };
  const whole = defineSidecar(identity, defineOptions(table, options.rules), () => ({ start: unstarted }));
  try {
    whole(Object.fromEntries(args.map(optionOf)));
    return [];
  } catch (error) {
    return [`${name}: ${messageOf(error)}`];
  }
}

const unstarted = () => Promise.reject(new Error("it is only told"));

/** `--state-dir=/tls` as `["stateDir", "/tls"]`. */
function optionOf(arg: string): [string, string] {
  const [, flag = "", value = ""] = /^--([^=]+)=(.*)$/s.exec(arg) ?? [];
  return [flag.replaceAll(/-([a-z])/g, (_, letter: string) => letter.toUpperCase()), value];
}

function mountProblems({ name, volumeMounts = [] }: IContainer, { spec }: IPod): string[] {
  const declared = new Set(spec?.volumes?.map((volume) => volume.name));
  const strangers = volumeMounts.filter((mount) => !declared.has(mount.name));
  return strangers.map((mount) => `${name}: volume ${mount.name} is not declared`);
}

function unusedVolumes(pod: IPod): string[] {
  const mounted = new Set(
    containersOf(pod.spec).flatMap(({ volumeMounts = [] }) => volumeMounts.map(({ name }) => name)),
  );
  const unused = (pod.spec?.volumes ?? []).filter((volume) => !mounted.has(volume.name));
  return unused.map((volume) => `volume ${volume.name} is mounted by nobody`);
}

/** Every port that a pod names is one that somebody listens on, on all interfaces; a sidecar's probes are its own. */
function portProblems(container: IContainer, all: readonly IContainer[]): string[] {
  const { name, image = "", ports = [] } = container;
  const listens = listenPorts([container], ["listen", "health-listen"]);
  const probed = sidecars.has(image) ? listenPorts([container], ["health-listen"]) : listenPorts(all, ["listen"]);
  return [
    ...ports.map((port) => port.containerPort).filter((port) => !listens.includes(port)),
    ...probePorts(container).filter((port) => !probed.includes(Number(port))),
  ].map((port) => `${name}: nobody listens on port ${port}`);
}

function probePorts({ startupProbe, readinessProbe, livenessProbe }: IContainer) {
  const probes: (IProbe | undefined)[] = [startupProbe, readinessProbe, livenessProbe];
  return probes.flatMap((probe) => (probe?.httpGet ? [probe.httpGet.port] : []));
}

function listenPorts(containers: readonly IContainer[], flags: readonly string[]): number[] {
  const values = containers.flatMap(({ args = [] }) =>
    args.filter((arg) => flags.some((flag) => arg.startsWith(`--${flag}=:`))).map((arg) => arg.split("=")[1] ?? ""),
  );
  return values.flatMap((value) => {
    const address = parseAddress(value);
    return "port" in address ? [address.port] : [];
  });
}

/** The Pod Security Standard "restricted": what it wants of a pod, and of its volumes. */
function podRestrictions({ spec }: IPod): string[] {
  const context = spec?.securityContext;
  const volumes = (spec?.volumes ?? []).flatMap(({ name: _, ...source }) => Object.keys(source));
  return broken("pod", {
    "no host namespaces": !spec?.hostNetwork && !spec?.hostPID && !spec?.hostIPC,
    runAsNonRoot: context?.runAsNonRoot === true,
    "runAsUser 65532": context?.runAsUser === 65_532 && context.fsGroup === 65_532,
    "seccompProfile RuntimeDefault": context?.seccompProfile?.type === "RuntimeDefault",
    "sysctls as they are": context?.sysctls === undefined,
    "volumes of allowed types": volumes.every((type) => ["configMap", "emptyDir", "secret"].includes(type)),
    "no service account token": spec?.automountServiceAccountToken === false,
    "no service links": spec?.enableServiceLinks === false,
  });
}

function containerRestrictions({ name, securityContext, ports = [], resources }: IContainer): string[] {
  const { allowPrivilegeEscalation, readOnlyRootFilesystem, capabilities, ...rest } = securityContext ?? {};
  return broken(name, {
    "allowPrivilegeEscalation false": allowPrivilegeEscalation === false,
    "readOnlyRootFilesystem true": readOnlyRootFilesystem === true,
    "capabilities: drop ALL, add none": JSON.stringify(capabilities) === '{"drop":["ALL"]}',
    "nothing that takes back what the pod says": Object.keys(rest).length === 0,
    "no host port": ports.every((port) => port.hostPort === undefined),
    "a memory limit and requests": Boolean(resources?.limits?.["memory"] && resources.requests?.["memory"]),
  });
}

function broken(subject: string, rules: Readonly<Record<string, boolean>>): string[] {
  return Object.entries(rules).flatMap(([rule, kept]) => (kept ? [] : [`${subject}: ${rule}`]));
}
