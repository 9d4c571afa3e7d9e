/** What the pages' scripts use of a browser; the package itself is compiled without a browser's types. */
export interface PageElement {
  id: string;
  textContent: string | null;
  hidden: boolean;
  value: string;
  disabled: boolean;
  checked: boolean;
  className: string;
  readonly dataset: { [name: string]: string | undefined };
  readonly style: { setProperty(name: string, value: string): void };
  readonly classList: { toggle(name: string, on: boolean): void };
  readonly tagName: string;
  setAttribute(name: string, value: string): void;
  removeAttribute(name: string): void;
  addEventListener(type: string, listener: (event: PageEvent) => void): void;
  append(...children: readonly (PageElement | string)[]): void;
  replaceChildren(...children: readonly (PageElement | string)[]): void;
  focus(options?: { readonly preventScroll?: boolean }): void;
  select(): void;
  scrollIntoView(options?: { readonly block?: "nearest" | "center" }): void;
  closest(selector: string): PageElement | null;
  showModal(): void;
  close(): void;
  readonly open: boolean;
}

export interface PageEvent {
  readonly key: string;
  readonly ctrlKey: boolean;
  readonly metaKey: boolean;
  readonly altKey: boolean;
  readonly target: PageElement;
  preventDefault(): void;
}

export interface PageDocument {
  readonly body: PageElement;
  getElementById(id: string): PageElement | null;
  querySelectorAll(selector: string): Iterable<PageElement>;
  createElement(tag: string): PageElement;
  addEventListener(type: string, listener: (event: PageEvent) => void): void;
}
