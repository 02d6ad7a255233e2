/** Something that whoever builds can mend: told in a sentence, without a stack. Exit code 2: misused. */
export class BuildError extends Error {
  override readonly name = "BuildError";
  readonly exitCode: 1 | 2;

  constructor(message: string, exitCode: 1 | 2 = 1) {
    super(message);
    this.exitCode = exitCode;
  }
}
