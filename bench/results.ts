/** Replaces what stands between the markers of a section, or puts the section at the end. */
export function replaceSection(text: string, name: string, body: string): string {
  const [begin, end] = [`<!-- ${name}: begin -->`, `<!-- ${name}: end -->`];
  const section = `${begin}\n\n${body.trim()}\n\n${end}`;
  const [from, to] = [text.indexOf(begin), text.indexOf(end)];
  if (from === -1 && to === -1) return `${text.trimEnd()}\n\n${section}\n`.trimStart();
  if (from === -1 || to < from) throw new Error(`the markers of ${name} are not a pair: ${begin} … ${end}`);
  return text.slice(0, from) + section + text.slice(to + end.length);
}

export function markdownTable(header: readonly string[], rows: readonly (readonly string[])[]): string {
  const line = (cells: readonly string[]) => `| ${cells.map((cell) => cell.replaceAll("|", "\\|")).join(" | ")} |`;
  const rule = header.map((_, index) => (index === 0 ? "---" : "---:"));
  return [line(header), line(rule), ...rows.map((row) => line(row))].join("\n");
}
