/** Whether a path fits a pattern: `*` and `?` within a folder's level, `**` across levels; everything else is itself. A bare name fits at the top only. */
export function fits(pattern: string, path: string): boolean {
  const source = pattern.replaceAll(/\*\*\/|\*\*|\*|\?|[\\^$.*+?()[\]{}|]/g, (sign) => {
    if (sign === "**/") return "(?:[^/]+/)*";
    if (sign === "**") return ".*";
    if (sign === "*") return "[^/]*";
    return sign === "?" ? "[^/]" : `\\${sign}`;
  });
  return new RegExp(`^${source}$`).test(path);
}
