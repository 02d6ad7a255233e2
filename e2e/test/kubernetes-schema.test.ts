import { readFile, readdir } from "node:fs/promises";
import { join } from "node:path";
import type { IContainer, IPod } from "kubernetes-models/v1";
import { expect, test } from "vitest";
import { podProblems } from "./kubernetes-checks.ts";
import { containersOf, manifests, readManifest, readPod, schemaProblems } from "./kubernetes-manifests.ts";

const files = (await readdir(manifests)).filter((name) => name.endsWith(".yaml"));
const pods = ["certificate.yaml", "minimal.yaml", "pod-plain-containers.yaml", "pod.yaml"];

test("the manifests are those that the other tests look at", () => {
  expect(files.toSorted()).toEqual(["config-map.yaml", ...pods].toSorted());
});

test.for(files)("%s is what Kubernetes' schemas want", async (name) => {
  for (const document of await readManifest(name)) expect(schemaProblems(document)).toEqual([]);
});

test.for<[string, (pod: IPod, first: IContainer) => void, string]>([
  ["a wrong type", (_, first) => Object.assign(first, { args: "--once" }), "args must be array"],
  ["a missing field", (_, first) => Object.assign(first, { name: undefined }), "must have required property name"],
  [
    "a wrong word",
    (_, first) => Object.assign(first, { imagePullPolicy: "Sometimes" }),
    "imagePullPolicy must be equal",
  ],
  ["a misspelt field", (_, first) => Object.assign(first, { arg: [] }), "/spec/initContainers/0/arg: no such field"],
  ["a field of elsewhere", (pod) => Object.assign(pod, { data: {} }), "/data: no such field"],
  ["an unknown kind", (pod) => Object.assign(pod, { kind: "Pot" }), "v1 Pot: no such kind"],
])("the schemas see %s", async ([, plant, problem]) => {
  const pod = await planted(plant);
  expect(schemaProblems(pod as unknown as Record<string, unknown>).join()).toContain(problem);
});

test.for(pods)("%s fits the family, and the Pod Security Standard restricted", async (name) => {
  expect(podProblems(await readPod(name))).toEqual([]);
});

test.for<[string, (pod: IPod, first: IContainer) => void, string]>([
  [
    "an image of others",
    (_, first) => (first.image = "alpine/git"),
    "repo-updater: image alpine/git is not in the family",
  ],
  ["a flag that isn't there", (_, first) => first.args?.push("--branch=main"), "branch"],
  ["a value that no flag takes", (_, first) => first.args?.push("--depth=all"), "depth"],
  [
    "a mount of nothing",
    (_, first) => first.volumeMounts?.push({ name: "x", mountPath: "/x" }),
    "volume x is not declared",
  ],
  [
    "a volume for nobody",
    ({ spec }) => spec?.volumes?.push({ name: "x", emptyDir: {} }),
    "volume x is mounted by nobody",
  ],
  ["a probe of a wrong port", (_, first) => probe(first, 9182), "repo-updater: nobody listens on port 9182"],
  ["a wrong port", (_, first) => (first.ports = [{ containerPort: 80 }]), "repo-updater: nobody listens on port 80"],
  ["a host port", (_, first) => (first.ports = [{ containerPort: 9282, hostPort: 1 }]), "repo-updater: no host port"],
  ["a writable root", (_, first) => context(first, { readOnlyRootFilesystem: false }), "readOnlyRootFilesystem true"],
  ["root", (_, first) => context(first, { runAsUser: 0 }), "nothing that takes back what the pod says"],
  ["a capability", (_, first) => context(first, { capabilities: { drop: ["ALL"], add: ["KILL"] } }), "add none"],
  ["a way up", (_, first) => context(first, { allowPrivilegeEscalation: true }), "allowPrivilegeEscalation false"],
  ["no seccomp", ({ spec }) => delete spec?.securityContext?.seccompProfile, "seccompProfile RuntimeDefault"],
  ["the host's files", ({ spec }) => spec?.volumes?.push({ name: "x", hostPath: { path: "/" } }), "allowed types"],
  ["the host's processes", ({ spec }) => Object.assign(spec ?? {}, { hostPID: true }), "no host namespaces"],
  ["a token", ({ spec }) => delete spec?.automountServiceAccountToken, "no service account token"],
])("the checks see %s", async ([, plant, problem]) => {
  expect(podProblems(await planted(plant)).join("\n")).toContain(problem);
});

test("pod-plain-containers.yaml is pod.yaml without what orders the containers, and without liveness probes", async () => {
  const { spec, ...rest } = await readPod("pod.yaml");
  const { initContainers: _, ...others } = spec ?? { containers: [] };
  const containers = containersOf(spec).map(
    ({ restartPolicy: _restarts, startupProbe: _starts, livenessProbe: _lives, ...container }) => container,
  );
  expect(await readPod("pod-plain-containers.yaml")).toEqual({ ...rest, spec: { ...others, containers } });
});

test("the sidecars of pod.yaml are native: they go on, each starts when the one before has, and the app last", async () => {
  const { spec } = await readPod("pod.yaml");
  const sidecars = (spec?.initContainers ?? []).map((container) => ({
    name: container.name,
    restarts: container.restartPolicy,
    asks: container.startupProbe?.httpGet?.path,
  }));
  const native = (name: string) => ({ name, restarts: "Always", asks: "/startupz" });
  expect(sidecars).toEqual(["repo-updater", "config-sync", "tls-proxy", "topz"].map(native));
  expect(spec?.containers.map(({ name }) => name)).toEqual(["app"]);
});

test("a pod has time to end: what is waited for before, two seconds of the app, and every sidecar's shutdown time-out", async () => {
  const { spec } = await readPod("pod.yaml");
  const waits = containersOf(spec).map(({ lifecycle }) => lifecycle?.preStop?.sleep?.seconds ?? 0);
  const needed = Math.max(...waits) + 2 + 8 * (spec?.initContainers?.length ?? 0);
  expect(spec?.terminationGracePeriodSeconds).toBeGreaterThanOrEqual(needed);
});

test("the ConfigMap that the pods mount is the app's configuration", async () => {
  const [map] = await readManifest("config-map.yaml");
  const configuration = await readFile(join(manifests, "../legacy-app/config/app.xml"), "utf8");
  expect(map).toMatchObject({ metadata: { name: "noticeboard" }, data: { "app.xml": configuration } });
  for (const name of pods) {
    const { spec } = await readPod(name);
    const named = spec?.volumes?.flatMap(({ configMap }) => (configMap ? [configMap.name] : []));
    expect(named, name).toEqual(["noticeboard"]);
  }
});

/** pod.yaml with a fault in it, or in its first container. */
async function planted(plant: (pod: IPod, first: IContainer) => void): Promise<IPod> {
  const pod = await readPod("pod.yaml");
  const [first] = pod.spec?.initContainers ?? [];
  if (!first) throw new Error("pod.yaml has no init container");
  plant(pod, first);
  return pod;
}

function probe(container: IContainer, port: number): void {
  container.readinessProbe = { httpGet: { path: "/readyz", port } };
}

function context(container: IContainer, wrong: NonNullable<IContainer["securityContext"]>): void {
  Object.assign(container.securityContext ?? {}, wrong);
}
