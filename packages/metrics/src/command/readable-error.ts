/** One paragraph for a person: what is wrong and, where it is known, what to do. */
export function readableError(error: unknown, { debug }: { readonly debug: boolean }): string {
  if (!(error instanceof Error)) return `refadgen-metrics: ${String(error)}\n`;
  if (debug) return `refadgen-metrics: ${error.stack ?? error.message}\n`;
  return `refadgen-metrics: ${error.message.trim()}\n`;
}
