export { errors as repoUpdaterErrors } from "./errors.ts";
export { repoUpdater } from "./sidecar.ts";
