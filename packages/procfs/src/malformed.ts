/** A file under /proc whose text isn't what the kernel documents (proc(5)): an unsupported kernel or not a /proc at all. */
export class MalformedProcFile extends Error {
  static readonly code = "PROCFS_MALFORMED";
  static readonly meaning = "A file under /proc is not as the kernel documents it.";
  override readonly name = "MalformedProcFile";
  readonly code = MalformedProcFile.code;

  constructor(file: string, text: string, reason: string) {
    const shown = JSON.stringify(text.length > 120 ? `${text.slice(0, 120)}…` : text);
    super(`${file}: ${shown} ${reason}; check that the root is a Linux /proc`);
  }
}
