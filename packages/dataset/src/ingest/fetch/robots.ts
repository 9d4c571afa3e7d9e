/** Rules of a robots.txt for one product token. */
export interface RobotsRules {
  /** Whether a path with its query may be asked. */
  allows(path: string): boolean;
}

interface Rule {
  readonly allow: boolean;
  readonly pattern: string;
}

/** What RFC 9309 §2.5 lets a crawler stop at. */
export const largestRobots: number = 500 * 1024;

/**
 * Reads a robots.txt by RFC 9309: groups whose token is the product's (without regard to case) together, else those of `*`; the longest matching
 * pattern decides, allow before disallow; `*` stands for anything, `$` at the end for the end.
 *
 * @param product the product token of the user agent: letters, `_` and `-`
 */
export function parseRobots(text: string, product: string): RobotsRules {
  const own: Rule[] = [];
  const general: Rule[] = [];
  let named = false;
  let tokens: string[] = [];
  let inRules = false;
  for (const line of text
    .replace(/^\uFEFF/, "")
    .slice(0, largestRobots)
    .split(/\r\n|\r|\n/)) {
    const match = /^\s*([A-Za-z-]+)\s*:\s*([^#]*?)\s*(?:#.*)?$/.exec(line);
    if (!match) continue;
    const field = match[1]!.toLowerCase();
    const value = match[2]!;
    if (field === "user-agent") {
      if (inRules) tokens = [];
      inRules = false;
      tokens.push(value === "*" ? "*" : (/^[A-Za-z_-]+/.exec(value)?.[0].toLowerCase() ?? ""));
      named ||= tokens.includes(product.toLowerCase());
      continue;
    }
    if (field !== "allow" && field !== "disallow") continue;
    inRules = true;
    if (value === "") continue;
    const rule = { allow: field === "allow", pattern: normalised(value) };
    if (tokens.includes(product.toLowerCase())) own.push(rule);
    if (tokens.includes("*")) general.push(rule);
  }
  const rules = named ? own : general;
  return {
    allows(path) {
      if (path === "/robots.txt") return true;
      const target = normalised(path);
      let best: Rule | undefined;
      for (const rule of rules) {
        if (best && (rule.pattern.length < best.pattern.length || (rule.pattern.length === best.pattern.length && !rule.allow))) continue;
        if (matches(rule.pattern, target)) best = rule;
      }
      return best?.allow ?? true;
    },
  };
}

export const allowAll: RobotsRules = { allows: () => true };
export const allowNothing: RobotsRules = { allows: () => false };

/** In time proportional to both lengths: a pattern of many `*` is no way to keep a crawler busy. */
function matches(pattern: string, path: string): boolean {
  const anchored = pattern.endsWith("$");
  const parts = (anchored ? pattern.slice(0, -1) : pattern).split("*");
  if (!path.startsWith(parts[0]!)) return false;
  let at = parts[0]!.length;
  for (const [index, part] of parts.slice(1).entries()) {
    if (anchored && index === parts.length - 2) return path.length - part.length >= at && path.endsWith(part);
    const found = path.indexOf(part, at);
    if (found < 0) return false;
    at = found + part.length;
  }
  return !anchored || at === path.length;
}

/** Percent signs in one way: reserved characters stay escaped, others as the URL parser writes them. */
function normalised(path: string): string {
  let out = "";
  for (const character of path.replace(/%[0-9a-fA-F]{2}/g, (sign) => {
    const code = Number.parseInt(sign.slice(1), 16);
    return /[A-Za-z0-9\-._~]/.test(String.fromCharCode(code)) ? String.fromCharCode(code) : sign.toUpperCase();
  }))
    out += character > "\u007f" ? encodeURIComponent(/^[\ud800-\udfff]$/.test(character) ? "\uFFFD" : character) : character;
  return out;
}

/** Directives by which a server keeps machines from using a picture. */
const noUse: ReadonlySet<string> = new Set(["noai", "noimageai", "noindex", "noimageindex", "none"]);

/**
 * What the `X-Robots-Tag` and `TDM-Reservation` headers say against use by machines, in lower case, sorted. Directives for another user agent (`otherbot: noindex`) do
 * not count.
 */
export function robotsTags(headers: Readonly<Record<string, string | readonly string[] | undefined>>, product: string): readonly string[] {
  const found = new Set<string>();
  const values = headers["x-robots-tag"];
  for (const value of typeof values === "string" ? [values] : (values ?? [])) {
    let ours = true;
    for (const part of value.toLowerCase().split(",")) {
      const [first, rest] = part.split(":", 2).map((text) => text.trim());
      if (rest !== undefined && !/^(unavailable_after|max-[a-z-]+)$/.test(first!)) ours = first === product.toLowerCase() || first === "*";
      const directive = rest !== undefined && !/^(unavailable_after|max-[a-z-]+)$/.test(first!) ? rest : first!;
      if (ours && noUse.has(directive)) found.add(directive);
    }
  }
  const reserved = headers["tdm-reservation"];
  if ((typeof reserved === "string" ? reserved : reserved?.[0])?.trim() === "1") found.add("tdm-reservation");
  return [...found].sort();
}
