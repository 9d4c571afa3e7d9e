/** What a subcommand is given besides its options. */
export interface CommandContext {
  /** Aborted by Ctrl-C. */
  readonly signal: AbortSignal;
  /** Ends with this exit code instead of 0, when nothing was thrown. */
  readonly finish: (exitCode: number) => void;
}
