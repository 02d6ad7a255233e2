import { readFile } from "node:fs/promises";
import { join } from "node:path";
import { ConfigMap, type IContainer, type IPod, type IPodSpec, Pod } from "kubernetes-models/v1";
import { parseAllDocuments } from "yaml";

export const manifests = join(import.meta.dirname, "../../examples/kubernetes");

/** The documents of a manifest, aliases resolved. */
export async function readManifest(name: string): Promise<Record<string, unknown>[]> {
  const documents = parseAllDocuments(await readFile(join(manifests, name), "utf8"));
  return documents.map((document) => {
    const [error] = document.errors;
    if (error) throw error;
    // each alias a copy of its own, so that a test can change one place
    return JSON.parse(JSON.stringify(document)) as Record<string, unknown>;
  });
}

export async function readPod(name: string): Promise<IPod> {
  const [pod] = await readManifest(name);
  return pod as unknown as IPod;
}

/** Every container of a pod, in the order in which Kubernetes starts them. */
export function containersOf(spec: IPodSpec | undefined): readonly IContainer[] {
  return [...(spec?.initContainers ?? []), ...(spec?.containers ?? [])];
}

const models: Record<string, new (data: never) => { validate(): void }> = { "v1 Pod": Pod, "v1 ConfigMap": ConfigMap };

/** What Kubernetes' own schemas hold against a document: wrong types, missing fields, and fields that they don't know. */
export function schemaProblems(document: Record<string, unknown>): string[] {
  const kind = `${String(document["apiVersion"])} ${String(document["kind"])}`;
  const model = models[kind];
  if (!model) return [`${kind}: no such kind`];
  const { watched, unread } = watchReads(new model(document as never));
  try {
    watched.validate();
  } catch (error) {
    return [error instanceof Error ? error.message : String(error)];
  }
  return unread().map((path) => `${path}: no such field`);
}

/** The schemas pass over fields that they don't know, and never read them: that is how these are found. */
function watchReads<T extends object>(root: T): { readonly watched: T; unread(): string[] } {
  const read = new Set<string>();
  const watch = <V>(value: V, path: string): V => {
    if (typeof value !== "object" || value === null) return value;
    return new Proxy(value, {
      get(target, key) {
        const below = `${path}/${String(key)}`;
        read.add(below);
        return watch<unknown>(Reflect.get(target, key), below);
      },
    });
  };
  return { watched: watch(root, ""), unread: () => pathsOf(root).filter((path) => !read.has(path)) };
}

function pathsOf(value: unknown, path = ""): string[] {
  if (typeof value !== "object" || value === null) return [];
  return Object.entries(value).flatMap(([key, below]) => [`${path}/${key}`, ...pathsOf(below, `${path}/${key}`)]);
}
