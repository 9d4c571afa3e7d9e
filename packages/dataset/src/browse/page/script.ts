// Runs in the reviewer's browser: one page of items at a time, decisions by keyboard.
import type { PageDocument, PageElement, PageEvent } from "../../report/html/dom.js";
import type { BrowseCounts, BrowseFacets, BrowseItem, BrowsePage, Decision } from "../store.js";

declare const document: PageDocument;

const byId = (id: string): PageElement => document.getElementById(id)!;
const pageSize = 60;

interface Done {
  readonly key: string;
  readonly before: Decision | undefined;
  /** Where it was, to go back there. */
  readonly page: number;
}

/** Cursors of the pages up to the present one; the first has none. */
let cursors: (string | undefined)[] = [undefined];
let page: BrowsePage = { items: [], total: 0, more: false, counts: { items: 0, accepted: 0, rejected: 0 } };
let current = 0;
let masked = false;
/** Decisions of this sitting, by key: a page keeps showing an item that no longer matches. */
const decided = new Map<string, Decision | undefined>();
const done: Done[] = [];
/** Requests go one after the other, so that the last decision is the last to be kept. */
let turn: Promise<void> = Promise.resolve();

function inTurn(work: () => Promise<void>): Promise<void> {
  turn = turn.then(work).then(
    () => {
      byId("error").hidden = true;
    },
    (error: unknown) => {
      byId("error").hidden = false;
      byId("error").textContent = `That did not work: ${error instanceof Error ? error.message : String(error)}`;
    },
  );
  return turn;
}

async function call<T>(path: string, body?: unknown): Promise<T> {
  const response = await fetch(
    path,
    body === undefined ? {} : { method: "POST", headers: { "content-type": "application/json" }, body: JSON.stringify(body) },
  );
  const answer = (await response.json()) as T & { readonly error?: string };
  if (!response.ok) throw new Error(answer.error ?? `the server answered ${response.status}`);
  return answer;
}

const filters = ["decision", "category", "reason", "score", "least", "most"] as const;

function query(after: string | undefined): string {
  const parameters = new URLSearchParams({ limit: String(pageSize) });
  if (after !== undefined) parameters.set("after", after);
  for (const name of filters) if (byId(name).value !== "") parameters.set(name, byId(name).value);
  const order = byId("order").value;
  if (order !== "") {
    parameters.set("order", order.slice(1));
    parameters.set("direction", order[0] === "+" ? "ascending" : "descending");
  }
  return `api/items?${parameters}`;
}

/** Shows the page that begins after the last of `cursors`. */
async function load(at: "first" | "last" | string): Promise<void> {
  page = await call<BrowsePage>(query(cursors.at(-1)));
  const found = page.items.findIndex(({ key }) => key === at);
  current = at === "last" ? Math.max(0, page.items.length - 1) : Math.max(0, found);
  list();
  counts(page.counts);
  show();
}

function counts({ items, accepted, rejected }: BrowseCounts): void {
  const number = (value: number) => value.toLocaleString("en-US");
  byId("counts").textContent = `${number(accepted)} accepted · ${number(rejected)} rejected · ${number(items - accepted - rejected)} to go`;
  byId("bar-accepted").style.setProperty("width", `${(100 * accepted) / Math.max(1, items)}%`);
  byId("bar-rejected").style.setProperty("width", `${(100 * rejected) / Math.max(1, items)}%`);
}

function decisionOf(item: BrowseItem): Decision | undefined {
  return decided.has(item.key) ? decided.get(item.key) : item.decision;
}

function element(tag: string, text?: string): PageElement {
  const made = document.createElement(tag);
  if (text !== undefined) made.textContent = text;
  return made;
}

function image(source: string, alt: string): PageElement {
  const made = element("img");
  made.setAttribute("alt", alt);
  made.setAttribute("src", source);
  return made;
}

const pictureOf = ({ key }: BrowseItem, role: string): string => `picture/${key}/${role}`;

function list(): void {
  byId("list").replaceChildren(
    ...page.items.map((item, index) => {
      const button = element("button");
      button.setAttribute("type", "button");
      const thumbnail = image(`thumbnail/${item.key}`, "");
      thumbnail.setAttribute("loading", "lazy");
      button.append(thumbnail);
      button.addEventListener("click", () => {
        current = index;
        show();
      });
      button.id = `item-${index}`;
      const entry = element("li");
      entry.append(button);
      return entry;
    }),
  );
}

function marks(): void {
  for (const [index, item] of page.items.entries()) {
    const button = byId(`item-${index}`);
    const decision = decisionOf(item);
    button.className = decision ?? "";
    button.setAttribute("aria-label", `${item.key}${item.category === undefined ? "" : `, ${item.category}`}${decision ? `, ${decision}` : ""}`);
    button.setAttribute("aria-current", String(index === current));
  }
}

function show(): void {
  const item = page.items[current];
  const before = pageSize * (cursors.length - 1);
  byId("view").hidden = !item;
  byId("empty").hidden = item !== undefined;
  byId("matching").textContent = `${page.total.toLocaleString("en-US")} ${page.total === 1 ? "item" : "items"}`;
  byId("page-place").textContent = item ? `${(before + 1).toLocaleString("en-US")}–${(before + page.items.length).toLocaleString("en-US")}` : "";
  byId("page-back").disabled = cursors.length === 1;
  byId("page-on").disabled = !page.more;
  byId("undo").disabled = done.length === 0;
  for (const id of ["accept", "reject"]) byId(id).disabled = !item;
  byId("back").disabled = current === 0 && cursors.length === 1;
  byId("on").disabled = current + 1 >= page.items.length && !page.more;
  if (!item) return;
  marks();
  byId(`item-${current}`).scrollIntoView({ block: "nearest" });
  const decision = decisionOf(item);
  byId("name").textContent = item.category ?? item.key;
  byId("badge").textContent = decision ?? "not decided";
  byId("badge").className = `badge ${decision ?? ""}`;
  byId("place").textContent =
    `${item.category === undefined ? "" : `${item.key} · `}${(before + current + 1).toLocaleString("en-US")} of ${page.total.toLocaleString("en-US")}${item.split === undefined ? "" : ` · ${item.split}`}`;
  const has = (role: BrowseItem["pictures"][number]) => item.pictures.includes(role);
  for (const [id, role] of [
    ["ad", "ad"],
    ["large-ad", "ad"],
    ["product", "product"],
    ["mask", "mask"],
    ["large-mask", "mask"],
  ] as const) {
    const picture = byId(id);
    picture.hidden = !has(role) || (role === "mask" && !masked);
    if (has(role)) picture.setAttribute("src", pictureOf(item, role));
    else picture.removeAttribute("src");
    picture.setAttribute("alt", role === "mask" ? "" : `${role} of ${item.key}`);
  }
  byId("toggle-mask").disabled = !has("mask");
  byId("toggle-mask").setAttribute("aria-pressed", String(masked));
  const variants = item.pictures.filter((role) => role.startsWith("variant-"));
  byId("variants").replaceChildren(
    ...variants.map((role) => {
      const entry = element("li");
      entry.append(image(pictureOf(item, role), `${role} of ${item.key}`), element("span", role.replace("-", " ")));
      return entry;
    }),
  );
  byId("reasons").replaceChildren(...item.reasons.map(({ code, message }) => element("li", `${code}: ${message}`)));
  byId("captions").replaceChildren(...item.captions.map((caption) => element("li", caption)));
  byId("scores").replaceChildren(
    ...Object.entries(item.scores).map(([name, value]) => {
      const line = element("div");
      line.append(element("dt", name), element("dd", value === null ? "–" : String(Number(value.toPrecision(4)))));
      return line;
    }),
  );
  // So that the next picture is there when it is asked for.
  const next = page.items[current + 1];
  if (next?.pictures.includes("ad")) image(pictureOf(next, "ad"), "");
}

async function go(by: 1 | -1): Promise<void> {
  const target = current + by;
  if (target >= 0 && target < page.items.length) {
    current = target;
    return show();
  }
  if (by > 0) await turnPage(1);
  else if (cursors.length > 1) await turnPage(-1, "last");
}

async function turnPage(by: 1 | -1, at: "first" | "last" = "first"): Promise<void> {
  const before = cursors;
  if (by > 0) {
    if (!page.more) return;
    cursors = [...cursors, page.items.at(-1)!.key];
  } else {
    if (cursors.length === 1) return;
    cursors = cursors.slice(0, -1);
  }
  try {
    await load(at);
  } catch (error) {
    cursors = before;
    throw error;
  }
}

async function keep(key: string, decision: Decision | undefined): Promise<void> {
  const all = await call<BrowseCounts>("api/decide", { key, decision: decision ?? null });
  decided.set(key, decision);
  counts(all);
}

async function decide(decision: Decision | undefined): Promise<void> {
  const item = page.items[current];
  if (!item) return;
  const before = decisionOf(item);
  await keep(item.key, decision);
  done.push({ key: item.key, before, page: cursors.length });
  show();
  if (decision) await go(1);
}

async function undo(): Promise<void> {
  const last = done.at(-1);
  if (!last) return;
  await keep(last.key, last.before);
  done.pop();
  const index = page.items.findIndex(({ key }) => key === last.key);
  if (index >= 0) current = index;
  else if (last.page < cursors.length) {
    cursors = cursors.slice(0, last.page);
    await load(last.key);
  }
  show();
}

async function filter(): Promise<void> {
  cursors = [undefined];
  decided.clear();
  done.length = 0;
  await load("first");
}

function toggleMask(): void {
  masked = !masked;
  show();
}

function zoom(): void {
  const dialog = byId("large");
  if (dialog.open) {
    dialog.close();
    return;
  }
  const shown = byId("ad") as PageElement & { readonly naturalWidth: number; readonly naturalHeight: number };
  byId("large-ad").style.setProperty("--shape", String(shown.naturalWidth / Math.max(1, shown.naturalHeight)));
  dialog.showModal();
}

function toggleFilters(): void {
  const details = byId("filters") as PageElement & { open: boolean };
  details.open = !details.open;
  if (details.open) byId("decision").focus();
}

const edge = (at: "first" | "last") => () => {
  current = at === "first" ? 0 : Math.max(0, page.items.length - 1);
  show();
};

const actions: { readonly [id: string]: () => void | Promise<void> } = {
  on: () => inTurn(() => go(1)),
  back: () => inTurn(() => go(-1)),
  accept: () => inTurn(() => decide("accepted")),
  reject: () => inTurn(() => decide("rejected")),
  undo: () => inTurn(undo),
  "page-on": () => inTurn(() => turnPage(1)),
  "page-back": () => inTurn(() => turnPage(-1)),
  "toggle-mask": toggleMask,
  zoom,
  "large-close": zoom,
  "large-scale": () =>
    byId("large-ad").closest(".large")!.classList.toggle("whole", !byId("large-ad").closest(".large")!.className.includes("whole")),
  help: () => byId("keys").showModal(),
  "keys-close": () => byId("keys").close(),
  clear: () => {
    for (const name of [...filters, "order"]) byId(name).value = "";
    return inTurn(filter);
  },
};
for (const [id, action] of Object.entries(actions)) byId(id).addEventListener("click", () => void action());
for (const name of [...filters, "order"]) byId(name).addEventListener("change", () => void inTurn(filter));

const keys: { readonly [key: string]: () => void | Promise<void> } = {
  j: actions.on!,
  ArrowRight: actions.on!,
  ArrowDown: actions.on!,
  k: actions.back!,
  ArrowLeft: actions.back!,
  ArrowUp: actions.back!,
  a: actions.accept!,
  r: actions.reject!,
  x: () => inTurn(() => decide(undefined)),
  u: actions.undo!,
  m: toggleMask,
  z: zoom,
  f: toggleFilters,
  g: edge("first"),
  G: edge("last"),
  "?": actions.help!,
};

document.addEventListener("keydown", (event: PageEvent) => {
  if (event.ctrlKey || event.metaKey || event.altKey) return;
  if (["INPUT", "SELECT", "TEXTAREA"].includes(event.target.tagName)) {
    if (event.key === "Escape") byId("filters").focus();
    return;
  }
  if (byId("keys").open) return;
  if (byId("large").open && !["z", "m", "a", "r", "j", "k", "u", "x"].includes(event.key)) return;
  const action = keys[event.key];
  if (!action) return;
  event.preventDefault();
  void action();
});

function option(select: string, value: string, text: string): void {
  const made = element("option", text);
  made.value = value;
  byId(select).append(made);
}

void inTurn(async () => {
  const { categories, reasons, scores } = await call<BrowseFacets>("api/facets");
  for (const category of categories) option("category", category, category);
  for (const reason of reasons) option("reason", reason, reason);
  for (const score of scores) {
    option("score", score, score);
    option("order", `+${score}`, `${score}, low first`);
    option("order", `-${score}`, `${score}, high first`);
  }
  await load("first");
});
