import { ArgumentError } from "@refadgen/errors";
import { type DefaultTreeAdapterTypes, parse } from "parse5";
import { describe, expect, it } from "vitest";
import type { DatasetReportData } from "./data.js";
import { formatCount, formatShare, formatValue } from "./format.js";
import { datasetReport } from "./report.js";
import { reportData, scoreColumns } from "./report-data.test-support.js";
import { tableOneCounts, tableOneTotal } from "./table-one.js";

type Node = DefaultTreeAdapterTypes.Node;
type Element = DefaultTreeAdapterTypes.Element;

function elements(node: Node): Element[] {
  const children = "childNodes" in node ? node.childNodes.flatMap(elements) : [];
  return "tagName" in node ? [node, ...children] : children;
}

function textOf(node: Node): string {
  if (node.nodeName === "style" || node.nodeName === "script") return "";
  if ("value" in node) return node.value;
  return "childNodes" in node ? node.childNodes.map(textOf).join(" ") : "";
}

function page(html: string) {
  const errors: string[] = [];
  const document = parse(html, { onParseError: ({ code }) => void errors.push(code), sourceCodeLocationInfo: true });
  const all = elements(document);
  const get = (element: Element, name: string) => element.attrs.find((attribute) => attribute.name === name)?.value;
  return { errors, all, get, text: textOf(document).replaceAll(/\s+/g, " ") };
}

const hostile = `<img src=x onerror="alert(1)">'"</script><script>alert(2)</script>&amp;\u202e\u0000 [a](http://evil.example) | \`x\` @who`;

describe("datasetReport", () => {
  it("is a valid page that needs nothing but itself", async () => {
    const { html } = await datasetReport(await reportData({ triplets: 2, items: 200 }));
    const { errors, all, get } = page(html);
    expect(errors).toEqual([]);
    const ids = all.flatMap((element) => get(element, "id") ?? []);
    expect(new Set(ids).size).toBe(ids.length);
    for (const element of all) {
      for (const { name, value } of element.attrs) {
        if (name === "src") expect(value).toMatch(/^data:image\/webp;base64,/);
        if (name === "href") expect(ids).toContain(value.slice(1));
        if (["for", "aria-labelledby"].includes(name)) expect(ids).toContain(value);
        expect(name).not.toMatch(/^on/);
      }
      if (element.tagName === "img") expect(get(element, "alt")).toBeTruthy();
      expect(["link", "iframe", "object", "base", "form"]).not.toContain(element.tagName);
    }
    expect(html.replaceAll(/data:image\/webp;base64,[\w+/=]+/g, "")).not.toMatch(/https?:\/\/|url\(|@import|sourceMappingURL|import\s*\(/);
    const policy = get(all.find((element) => get(element, "http-equiv") === "Content-Security-Policy")!, "content")!;
    expect(policy).toMatch(
      /^default-src 'none'; img-src data:; style-src 'unsafe-inline'; script-src 'sha256-[\w+/=]{44}'; base-uri 'none'; form-action 'none'$/,
    );
  });

  it("says the same in all three forms: counts, Table 1, reasons, failures, thresholds", async () => {
    const data = await reportData({ triplets: 1, items: 500 });
    const report = await datasetReport(data);
    const json = JSON.parse(report.json) as {
      version: number;
      items: number;
      triplets: number;
      rows: number;
      passing: unknown;
      categories: { category: string; tableOne?: number }[];
      scores: { histogram: { counts: number[] }; measured: number; rejects: number; rejectsAlone: number }[];
    };
    expect([json.version, json.items, json.triplets, json.rows]).toEqual([1, 1000, 760, 3800]);
    expect(json.categories.length).toBe(31);
    expect(json.categories.filter(({ tableOne }) => tableOne !== undefined).reduce((sum, { tableOne }) => sum + tableOne!, 0)).toBe(600_655);
    // By definition, item by item.
    const outside = data.scores.map(({ values, least = Number.NEGATIVE_INFINITY, most = Number.POSITIVE_INFINITY }) =>
      Array.from(values, (value) => value !== null && (value < least || value > most)),
    );
    const fails = Array.from({ length: 500 }, (_, item) => outside.filter((column) => column[item]).length);
    expect(json.passing).toEqual({ items: fails.filter((count) => count === 0).length, of: 500 });
    for (const [index, score] of json.scores.entries()) {
      expect(score.histogram.counts.reduce((sum, count) => sum + count, 0)).toBe(score.measured);
      expect(score.rejects).toBe(outside[index]!.filter(Boolean).length);
      expect(score.rejectsAlone).toBe(outside[index]!.filter((out, item) => out && fails[item] === 1).length);
    }
    const { text } = page(report.html);
    for (const said of [
      "760 triplets",
      "watermark",
      "71 items",
      "caption-script",
      "unreadable",
      "garden gnome",
      "25,000",
      "the budget of 700 calls is spent",
    ])
      expect(text).toContain(said);
    for (const said of [
      "| backpack | 300 | 260 | 1,300 | 34.2 % | 25,000 | 4.2 % | 234 | 26 |",
      "| filter | watermark | 71 |",
      "| ingest | unreadable | 4 | no |",
    ])
      expect(report.markdown).toContain(said);
  });

  it("shows text from items and never interprets it", async () => {
    const data = await reportData({ triplets: 1, items: 50, hostile });
    const report = await datasetReport({
      ...data,
      scores: data.scores.map((score) => ({ ...score, name: score.name + hostile, meaning: hostile, unit: hostile })),
    });
    const { all, get, errors, text } = page(report.html);
    expect(errors).toEqual([]);
    expect(all.filter(({ tagName }) => tagName === "script").length).toBe(3);
    expect(all.filter((element) => get(element, "src") === "x" || get(element, "onerror") !== undefined)).toEqual([]);
    expect(text).toContain('<img src=x onerror="alert(1)">');
    expect([...report.html].filter((letter) => "\u202e\u0000".includes(letter))).toEqual([]);
    // In Markdown, what could be markup is escaped.
    const outsideCode = report.markdown.replace(/(`{3,})json[\s\S]*?\1/, "");
    expect(outsideCode).not.toMatch(/<|(?<!\\)\[|(?<!\\)`|https?:\/\/|@who|\u202e/);
    // A table's lines all have as many cells as its first.
    for (const table of outsideCode.split("\n\n").filter((block) => block.startsWith("|"))) {
      expect(new Set(table.split("\n").map((line) => line.replaceAll(/\\./g, "").split("|").length)).size).toBe(1);
    }
  });

  it("is of bounded size for a hundred thousand items, and takes its time from nothing else", async () => {
    const base = await reportData({ triplets: 2, items: 10 });
    const many = Array.from({ length: 3000 }, (_, index) => ({
      stage: "filter",
      code: `reason-${index}`,
      message: "m",
      count: index,
      samples: [base.triplets[0]!].map(({ key, ad }) => ({ key, picture: ad })),
    }));
    const data: DatasetReportData = {
      ...base,
      scores: [...scoreColumns(100_000), ...scoreColumns(100_000).map((score) => ({ ...score, name: `${score.name} again` }))],
      rejections: many,
    };
    const started = performance.now();
    const { html, json } = await datasetReport(data, { mostPictures: 60 });
    expect(performance.now() - started).toBeLessThan(15_000);
    expect(html.length).toBeLessThan(2.5e6);
    expect(json.length).toBeLessThan(1e6);
    expect(html.match(/<img /g)!.length).toBeLessThanOrEqual(60);
    expect(html).toContain("estimated from 50,000 of 100,000 items");
  });

  it("gives the same bytes for the same data, and stops when asked to", async () => {
    const data = await reportData({ triplets: 1, items: 30 });
    expect(await datasetReport(data)).toEqual(await datasetReport(data));
    await expect(datasetReport(data, { signal: AbortSignal.abort(new Error("enough")) })).rejects.toThrow("enough");
  });

  it("has nothing to say of nothing", async () => {
    const { html, markdown } = await datasetReport({
      title: "Empty",
      stages: [],
      categories: [],
      rejections: [],
      failures: [],
      scores: [],
      duplicates: { clusters: 0, items: 0, samples: [] },
      triplets: [],
      settings: {},
    });
    expect(page(html).errors).toEqual([]);
    expect(html).toContain("script-src &#39;none&#39;");
    expect(html).not.toContain("NaN");
    expect(markdown).toContain("0 triplets (0 rows) from 0 pictures.");
  });

  it.each<[string, Partial<DatasetReportData>, object]>([
    [
      "columns of two lengths",
      {
        scores: [
          { name: "a", better: "higher", values: [1] },
          { name: "b", better: "higher", values: [] },
        ],
      },
      {},
    ],
    ["a threshold that is none", { scores: [{ name: "a", better: "higher", least: Number.NaN, values: [1] }] }, {}],
    ["a count that is none", { stages: [{ stage: "s", done: -1, rejected: 0, failed: 0, waiting: 0 }] }, {}],
    ["a thumbnail of no size", {}, { thumbnail: 0 }],
    ["half a picture", {}, { mostPictures: 0.5 }],
  ])("refuses %s", async (_, part, options) => {
    const data = { ...(await reportData({ triplets: 0, items: 1 })), ...part };
    await expect(datasetReport(data, options)).rejects.toThrow(ArgumentError);
  });
});

it("Table 1 is the paper's: thirty counts that sum to 600,655", () => {
  expect([Object.keys(tableOneCounts).length, tableOneTotal]).toEqual([30, 600_655]);
});

it("formats numbers to be read", () => {
  expect([formatCount(1234567), formatCount(12), formatCount(0)]).toEqual(["1,234,567", "12", "0"]);
  expect([formatShare(1, 3), formatShare(0, 0), formatShare(1, 5000), formatShare(3, 3), formatShare(1, 4)]).toEqual([
    "33.3 %",
    "0 %",
    "<0.1 %",
    "100 %",
    "25 %",
  ]);
  expect([0.123456, -2.5, 1234.5, 123456, 1e-12, Number.NaN].map(formatValue)).toEqual(["0.123", "−2.5", "1235", "123,456", "0", "–"]);
});
