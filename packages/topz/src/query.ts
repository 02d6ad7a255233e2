import { type ProcessRow, type SortKey, sortKeys, sorted } from "./process-table.ts";

export interface RowQuery {
  readonly sort: SortKey;
  readonly limit: number;
  readonly header: boolean;
}

/**
 * Reads `?sort=cpu&limit=20&header=1`.
 *
 * @throws RangeError that says what a parameter may be
 */
export function parseQuery(parameters: URLSearchParams): RowQuery {
  const sort = parameters.get("sort") ?? "cpu";
  const limit = parameters.get("limit");
  const key = sortKeys.find((one) => one === sort);
  if (!key) throw new RangeError(`sort=${sort}: not a column. Give one of ${sortKeys.join(", ")}`);
  if (limit !== null && !/^[1-9]\d{0,5}$/.test(limit))
    throw new RangeError(`limit=${limit}: not a number from 1 to 999999`);
  return { sort: key, limit: limit === null ? Infinity : Number(limit), header: parameters.get("header") === "1" };
}

export function select(rows: readonly ProcessRow[], { sort, limit }: RowQuery): ProcessRow[] {
  return sorted(rows, sort).slice(0, limit);
}
