/** What a model wrote, or why it cannot be used. */
export type ParsedAnswer = { readonly captions: readonly string[]; readonly visibleText: readonly string[] } | { readonly problem: string };

/** Fits what is asked for; more is not looked at. */
const mostCaptions = 32;

/**
 * The captions in a model's answer. It may think aloud first, wrap the JSON in a code block or in words, or leave the outer object away; what is taken must
 * then have exactly the wanted shape. Nothing is repaired: half an answer is none.
 */
export function parseAnswer(content: string, cut: boolean): ParsedAnswer {
  const text = content.replace(/^\uFEFF/, "").replace(/<think>[\s\S]*?<\/think>/gi, "");
  let seen = "has no JSON";
  for (const value of jsonIn(text)) {
    const parsed = shaped(value);
    if ("captions" in parsed) return parsed;
    seen = parsed.problem;
  }
  return { problem: cut ? "was cut off: it must be shorter" : seen };
}

function shaped(value: unknown): ParsedAnswer {
  const list: unknown = Array.isArray(value) ? value : field(value, "captions");
  if (!Array.isArray(list)) return { problem: "has no list of captions" };
  if (list.length === 0 || list.length > mostCaptions) return { problem: `has ${list.length} captions` };
  const captions = list.map((caption: unknown) => (typeof caption === "string" ? caption : (field(caption, "caption") ?? field(caption, "text"))));
  if (!captions.every((caption) => typeof caption === "string")) return { problem: "has captions that are not text" };
  const visible = field(value, "visible_text");
  const visibleText = Array.isArray(visible) ? visible.filter((one): one is string => typeof one === "string").slice(0, 50) : [];
  return { captions: captions.map((caption) => caption.trim().replaceAll(/\s+/g, " ")), visibleText };
}

function field(value: unknown, name: string): unknown {
  return typeof value === "object" && value !== null && Object.hasOwn(value, name) ? Reflect.get(value, name) : undefined;
}

/** Whole JSON objects and arrays within a text, outermost first. */
function* jsonIn(text: string): Generator<unknown> {
  // An answer of nothing but brackets must not take quadratic time.
  let tries = 0;
  for (let start = 0; start < text.length && tries < 20; start++) {
    const open = text[start];
    if (open !== "{" && open !== "[") continue;
    tries++;
    const end = closing(text, start);
    if (end < 0) continue;
    try {
      yield JSON.parse(text.slice(start, end + 1));
      start = end;
    } catch {
      // Not JSON from here; perhaps from the next bracket.
    }
  }
}

/** Where the bracket at `start` is closed, brackets in strings aside; -1 if nowhere. */
function closing(text: string, start: number): number {
  let depth = 0;
  let quoted = false;
  for (let index = start; index < text.length; index++) {
    const letter = text[index];
    if (quoted) {
      if (letter === "\\") index++;
      else if (letter === '"') quoted = false;
    } else if (letter === '"') quoted = true;
    else if (letter === "{" || letter === "[") depth++;
    else if ((letter === "}" || letter === "]") && --depth === 0) return index;
  }
  return -1;
}
