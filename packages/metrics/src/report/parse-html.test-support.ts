import { type DefaultTreeAdapterTypes, parse } from "parse5";

type Node = DefaultTreeAdapterTypes.Node;
export type Element = DefaultTreeAdapterTypes.Element;

/** A page as a browser would read it, and everything that it would have to guess at. */
export function parseHtml(text: string): { readonly document: Node; readonly errors: readonly string[] } {
  const errors: string[] = [];
  const document = parse(text, {
    sourceCodeLocationInfo: true,
    onParseError: ({ code, startLine }) => void errors.push(`${code} in line ${startLine}`),
  });
  return { document, errors };
}

export function allElements(node: Node): Element[] {
  const children = "childNodes" in node ? node.childNodes.flatMap(allElements) : [];
  return "tagName" in node ? [node, ...children] : children;
}

export function attribute(element: Element, name: string): string | undefined {
  return element.attrs.find((candidate) => candidate.name === name)?.value;
}

export function textOf(node: Node): string {
  if (node.nodeName === "style") return "";
  if ("value" in node) return node.value;
  return "childNodes" in node ? node.childNodes.map(textOf).join("") : "";
}
