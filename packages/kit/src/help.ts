import type { Identity } from "./identity.ts";
import { type Option, type OptionTable, environmentName, flagName, optionNames, typeOf } from "./options.ts";

/** The text of `--help`: usage, then every option under its heading with its variable and default. */
export function helpText(identity: Identity, table: OptionTable): string {
  const groups = Map.groupBy(Object.entries(table), ([, { group }]) => group ?? "Options");
  const sections = [...groups].map(([group, rows]) => [`${group}:`, ...rows.map(([key, option]) => helpOf(key, option))].join("\n"));
  return [
    `${identity.name} ${identity.version}: ${identity.description}`,
    `Usage: ${identity.name} [options]\n       ${identity.name} healthcheck    asks a running one whether it is ready`,
    ...sections,
    `Every option also has a variable: ${environmentName(identity.name, "")} and the flag's name in capitals. A flag beats a variable.`,
  ].join("\n\n");
}

function helpOf(key: string, option: Option): string {
  const names = optionNames(key, option).map((name) => `--${spelled(name, option)}`);
  const { placeholder } = typeOf(option);
  const facts = [
    option.required ? "required" : undefined,
    option.default === undefined ? undefined : `default ${option.default}`,
    option.repeat ? "may be repeated" : undefined,
  ].filter((fact) => fact !== undefined);
  const tail = facts.length === 0 ? "" : ` (${facts.join("; ")})`;
  return `  ${[names.join(", "), placeholder].join(" ").trimEnd()}\n      ${option.help}${tail}`;
}

/** The options as rows of a Markdown table, for README and reference. */
export function markdownTable(identity: Identity, table: OptionTable): string {
  const rows = Object.entries(table).map(([key, option]) => {
    const flag = spelled(flagName(key), option);
    const aliases = (option.aliases ?? []).map((alias) => ` (also \`--${alias}\`)`).join("");
    const standard = option.required ? "required" : option.default === undefined ? "" : `\`${option.default}\``;
    const variable = environmentName(identity.name, flag);
    const value = typeOf(option).placeholder.replaceAll("|", "\\|");
    const repeat = option.repeat ? " May be repeated." : "";
    return `| \`--${flag}\`${aliases} | ${value} | ${standard} | \`${variable}\` | ${option.help}${repeat} |`;
  });
  return ["| flag | value | default | variable | what it does |", "| --- | --- | --- | --- | --- |", ...rows].join("\n");
}

function spelled(name: string, option: Option): string {
  return option.type === "secret" ? `${name}-file` : name;
}
