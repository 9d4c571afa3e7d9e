/** HTML that is safe to put into a page. */
export class Markup {
  readonly text: string;

  constructor(text: string) {
    this.text = text;
  }
}

type Part = Markup | string | number | undefined | false | readonly Part[];

/** A template of HTML: what is put in is escaped, unless it is markup itself; lists are joined; undefined and false are nothing. */
export function html(strings: TemplateStringsArray, ...parts: readonly Part[]): Markup {
  return new Markup(strings.reduce((text, string, index) => text + rendered(parts[index - 1]) + string));
}

/** Text that is markup already. */
export function raw(text: string): Markup {
  return new Markup(text);
}

const entities: Readonly<Record<string, string>> = { "&": "&amp;", "<": "&lt;", ">": "&gt;", '"': "&quot;", "'": "&#39;" };

function rendered(part: Part): string {
  if (part === undefined || part === false) return "";
  if (part instanceof Markup) return part.text;
  if (typeof part === "object") return part.map(rendered).join("");
  return printable(String(part)).replaceAll(/[&<>"']/g, (sign) => entities[sign]!);
}

/** Text without what a page cannot hold or would show elsewhere than it stands: controls, halves of characters, direction marks. */
function printable(text: string): string {
  return text.replaceAll(/[\p{Cs}\p{Co}\u202a-\u202e\u2066-\u2069\ufffe\uffff]|(?![\t\n\r])\p{Cc}/gu, "\uFFFD");
}

/** A value as JSON within a script element: it cannot end the element or begin a comment. */
export function jsonScript(value: unknown): Markup {
  return new Markup(
    JSON.stringify(value).replaceAll(/[<>&\u2028-\u202e\u2066-\u2069]/g, (sign) => `\\u${sign.charCodeAt(0).toString(16).padStart(4, "0")}`),
  );
}
