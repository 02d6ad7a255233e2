import type { OptionType, Values } from "@pillion/kit";
import { options } from "../options.ts";

export type OptionValues = Values<typeof options.table>;

/** The options' values as plain data, for another process: those of this package's own types are text. */
export type PlainValues = Readonly<Record<string, unknown>>;

export function plainValues(values: OptionValues): PlainValues {
  return mapOwnTypes(values, (type, value) => type.format?.(value) ?? String(value));
}

export function readPlainValues(plain: PlainValues): OptionValues {
  return mapOwnTypes(plain, (type, text) => type.parse(String(text))) as OptionValues;
}

function mapOwnTypes(values: PlainValues, map: (type: OptionType<unknown>, value: unknown) => unknown): PlainValues {
  const rows: Readonly<Record<string, { readonly type: unknown }>> = options.table;
  const mapped = Object.entries(values).map(([key, value]) => {
    const type = rows[key]?.type;
    if (typeof type !== "object" || value === undefined) return [key, value];
    const own = type as OptionType<unknown>;
    return [key, Array.isArray(value) ? value.map((one) => map(own, one)) : map(own, value)];
  });
  return Object.fromEntries(mapped);
}
