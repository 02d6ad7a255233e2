import { readFile } from "node:fs/promises";

/**
 * Prints what is to be signed, `namespace/image@sha256:…`, given the file that `docker buildx bake --metadata-file` wrote
 * and the namespaces that were pushed to. A tag could be moved between push and signature; a digest can't.
 */
const [file, namespaces] = process.argv.slice(2);
if (!file || !namespaces) throw new Error("image-references.ts needs a file of metadata and namespaces, as arguments");
const metadata = JSON.parse(await readFile(file, "utf8")) as Record<string, Record<string, unknown>>;

const pushed = Object.entries(metadata).flatMap(
  ([image, { "containerimage.digest": digest }]) => (typeof digest === "string" ? [`${image}@${digest}`] : []), // warnings stand beside the images
);
if (pushed.length === 0) throw new Error(`${file} names no image that was pushed`);
for (const namespace of namespaces.split(",")) for (const reference of pushed) console.log(`${namespace}/${reference}`);
