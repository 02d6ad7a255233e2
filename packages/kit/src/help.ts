import type { Identity } from "./identity.ts";
import { type Option, type OptionTable, environmentName, flagName, optionNames, typeOf } from "./options.ts";

/** The text of `--help`: usage, then every option under its heading with its variable and default. */
export function helpText(identity: Identity, table: OptionTable): string {
  const groups = Map.groupBy(Object.entries(table), ([, { group }]) => group ?? "Options");
  const sections = [...groups].map(([group, rows]) =>
    [`${group}:`, ...rows.map(([key, option]) => helpOf(identity, key, option))].join("\n"),
  );
  return [
    `${identity.name} ${identity.version}: ${identity.description}`,
    `Usage: ${identity.name} [options]\n       ${identity.name} healthcheck    asks a running one whether it is ready`,
    ...sections,
    "Each option also has the variable that is named with it. A flag beats a variable.",
  ].join("\n\n");
}

function helpOf(identity: Identity, key: string, option: Option): string {
  const names = optionNames(key, option).map((name) => `--${spelled(name, option)}`);
  const { placeholder } = typeOf(option);
  const facts = [
    variablesOf(identity, key, option).join(" or "),
    option.required ? "required" : undefined,
    option.default === undefined ? undefined : `default ${option.default}`,
    option.repeat ? "may be repeated" : undefined,
  ].filter((fact) => fact !== undefined);
  return `  ${[names.join(", "), placeholder].join(" ").trimEnd()}\n      ${option.help} (${facts.join("; ")})`;
}

/** The options as rows of a Markdown table, for README and reference. */
export function markdownTable(identity: Identity, table: OptionTable): string {
  const rows = Object.entries(table).map(([key, option]) => {
    const flag = spelled(flagName(key), option);
    const aliases = (option.aliases ?? []).map((alias) => ` (also \`--${alias}\`)`).join("");
    const standard = option.required ? "required" : option.default === undefined ? "" : `\`${option.default}\``;
    const variables = variablesOf(identity, key, option).map((name) => `\`${name}\``);
    const value = typeOf(option).placeholder.replaceAll("|", "\\|");
    const repeat = option.repeat ? " May be repeated." : "";
    return `| \`--${flag}\`${aliases} | ${value} | ${standard} | ${variables.join(" or ")} | ${option.help}${repeat} |`;
  });
  return ["| flag | value | default | variable | what it does |", "| --- | --- | --- | --- | --- |", ...rows].join(
    "\n",
  );
}

/** A secret may stand in a variable as well as in a file. */
function variablesOf({ name }: Identity, key: string, option: Option): string[] {
  const words = option.type === "secret" ? [flagName(key), `${flagName(key)}-file`] : [flagName(key)];
  return words.map((word) => environmentName(name, word));
}

function spelled(name: string, option: Option): string {
  return option.type === "secret" ? `${name}-file` : name;
}
