import { readFile } from "node:fs/promises";
import { join } from "node:path";
import { parse as parseCsv } from "csv-parse/sync";
import { XmlDocument, XsdValidator } from "libxml2-wasm";
import { describe, expect, it } from "vitest";
import { temporaryFolder, writeImages } from "../evaluate/fixture-images.test-support.js";
import { evaluationToCsv } from "./csv.js";
import { sampleEvaluation, nasty as written } from "./evaluation.test-support.js";
import { formatBytes, formatChange, formatSeconds, formatValue } from "./format.js";
import { evaluationToHtml } from "./html/page.js";
import { evaluationToJunit } from "./junit.js";
import { evaluationToMarkdown } from "./markdown.js";
import { allElements, attribute, parseHtml, textOf } from "./parse-html.test-support.js";
import { evaluationToText, table } from "./text.js";

/** A bell can be said neither in XML nor in HTML. */
const nasty = written.replace("\u0007", "\uFFFD");

describe("evaluationToJunit", () => {
  it("is well-formed, and what Ant and Jenkins read", async () => {
    const document = XmlDocument.fromString(evaluationToJunit(sampleEvaluation()));
    const schema = XmlDocument.fromString(await readFile(new URL("../../fixtures/junit.xsd", import.meta.url), "utf8"));
    const validator = XsdValidator.fromDoc(schema);
    validator.validate(document);
    const find = (path: string) => document.find(path).map((node) => node.content);
    // Two gates, two metrics without any, one that was not run.
    expect(find("/testsuites/testsuite/testcase/@name")).toEqual([
      "lpips<0.5",
      "fid against the baseline (fid=2%)",
      "PSNR",
      "P/R F-score",
      "MP-LPIPS",
    ]);
    expect(find("//testsuite/@tests|//testsuite/@failures|//testsuite/@skipped|//testsuite/@timestamp")).toEqual([
      "2030-05-04T12:34:56",
      "5",
      "1",
      "1",
    ]);
    expect(find("//failure/@message")).toEqual(["lpips is 0.55, not as required: < 0.5"]);
    expect(find("//property[@name='lpips']/@value")).toEqual(["0.55"]);
    expect(find("//property[@name='label']/@value")).toEqual([`tiny ${nasty}`]);
    expect(find("//system-err")[0]).toContain("generated broken.png: ends <script>");
    for (const thing of [document, schema, validator]) thing.dispose();
  });
});

describe("evaluationToCsv", () => {
  it("has a row per picture, and comes back through a CSV parser", () => {
    const rows: string[][] = parseCsv(evaluationToCsv(sampleEvaluation()));
    expect(rows[0]).toEqual(["name", "prompt", "reference", "lpips", "psnr"]);
    expect(rows).toHaveLength(22);
    expect(rows[4]).toEqual(["03.png", written, "products/3.png", String(0.1 + 0.045 * 3), "Infinity"]);
    expect(rows.at(-1)).toEqual(["undefined.png", "", "", "NaN", ""]);
  });

  it("gives every reference of a picture its row", () => {
    const evaluation = sampleEvaluation([{ name: "a.png", generated: "a.png", references: ["r1.png", "r2.png"] }]);
    const [lpips] = evaluation.metrics;
    const perImage = [1, 2].map((index) => ({ name: `a.png [${index}]`, value: index }));
    const rows: string[][] = parseCsv(evaluationToCsv({ ...evaluation, metrics: [{ ...lpips!, perImage }] }));
    expect(rows.slice(1)).toEqual([
      ["a.png [1]", "", "r1.png", "1"],
      ["a.png [2]", "", "r2.png", "2"],
    ]);
  });
});

describe("evaluationToMarkdown", () => {
  const text = evaluationToMarkdown(sampleEvaluation());
  it("has a table with equally many cells in each row", () => {
    const rows = text.split("\n").filter((line) => line.startsWith("|"));
    expect(rows).toHaveLength(6);
    expect(new Set(rows.map((row) => row.replaceAll("\\|", "").split("|").length))).toEqual(new Set([9]));
    expect(rows[2]).toContain("| **0.5500** | 0.5100 … 0.5900 | 20 | torchmetrics | 0.6000 (−8.3 % better) | ❌ `lpips<0.5` |");
  });

  it("says what failed, what was not run, and lists files, with nothing that is read as HTML", () => {
    expect(text).toMatch(/^## ❌ Image metrics failed: tiny /);
    expect(text).toContain("- ❌ lpips is 0.55, not as required: \\< 0.5");
    expect(text).toContain("MP-LPIPS was not run");
    expect(text).toContain("generated `broken.png`: ends \\<script");
    expect(text.replaceAll(/`[^`]*`/g, "")).not.toMatch(/(?<!\\)<script/);
  });
});

describe("evaluationToText", () => {
  it("aligns columns, marks failures and lists what was not used", () => {
    const text = evaluationToText(sampleEvaluation(), { colour: false });
    expect(text).toMatch(/^LPIPS ↓ +0\.5500 {2}0\.5100 … 0\.5900 +20 {2}torchmetrics +0\.6000 \(−8\.3 %\) {2}FAIL$/m);
    expect(text).toContain("FAIL lpips is 0.55");
    expect(text).toContain("1 file skipped:\n  generated broken.png");
    expect(text).not.toContain("\u001B");
    expect(evaluationToText(sampleEvaluation(), { colour: true })).toContain("\u001B[31mFAIL\u001B[0m");
  });

  it("puts numbers to the right and words to the left", () => {
    expect(
      table([
        ["name", "n"],
        ["a", "1"],
        ["bcdef", "100"],
      ]),
    ).toEqual(["name     n", "a        1", "bcdef  100"]);
  });
});

describe("evaluationToHtml", () => {
  it("shows the worst and best pictures with their partners, and needs nothing from elsewhere", async () => {
    const folder = await temporaryFolder();
    const names = Array.from({ length: 20 }, (_, index) => `${String(index).padStart(2, "0")}.png`);
    await writeImages(join(folder, "ads"), Object.fromEntries(names.map((name, index) => [name, index])), { width: 300, height: 200 });
    await writeImages(join(folder, "products"), Object.fromEntries(names.map((name, index) => [name, index + 50])), {
      width: 20,
      height: 30,
      channels: 4,
    });
    await writeImages(join(folder, "masks"), Object.fromEntries(names.map((name, index) => [name, index + 70])), {
      width: 20,
      height: 30,
      channels: 1,
    });
    const items = names.map((name, index) => ({
      ...{ name, generated: join(folder, "ads", name), references: [join(folder, index === 19 ? "gone" : "products", name)] },
      ...{ mask: join(folder, "masks", name), prompt: index === 19 ? nasty : `prompt ${index}` },
    }));
    const text = await evaluationToHtml(sampleEvaluation(items), { pictures: 3, thumbnail: 64 });
    const { document, errors } = parseHtml(text);
    expect(errors).toEqual([]);
    const elements = allElements(document);
    const tags = (name: string) => elements.filter(({ tagName }) => tagName === name);

    // Nothing is fetched or run.
    expect([tags("script"), tags("link"), tags("iframe")]).toEqual([[], [], []]);
    for (const element of elements) {
      for (const { name, value } of element.attrs) {
        if (name === "src") expect(value).toMatch(/^data:image\/webp;base64,[A-Za-z0-9+/=]+$/);
        if (name === "href") expect(value).toMatch(/^#/);
        expect(name).not.toMatch(/^on/);
      }
    }
    expect(text.slice(text.indexOf("<style>"), text.indexOf("</style>"))).not.toMatch(/url\(|@import/);

    // Lower is better: the largest scores are the worst. One of them has lost its reference.
    const section = elements.find(({ attrs }) => attrs.some(({ name, value }) => name === "aria-labelledby" && value === "lpips"))!;
    const shown = allElements(section).filter((element) => attribute(element, "class") === "name");
    expect(shown.map(textOf)).toEqual(["19.png", "18.png", "17.png", "00.png", "01.png", "02.png"]);
    expect(allElements(section).filter(({ tagName }) => tagName === "img")).toHaveLength(17);
    expect(textOf(section)).toContain("cannot be shown");
    expect(textOf(section)).toContain(nasty);
    const first = allElements(section).find(({ tagName }) => tagName === "img")!;
    expect([attribute(first, "alt"), attribute(first, "width"), attribute(first, "height")]).toEqual(["generated picture of 19.png", "64", "43"]);

    // Structure that a screen reader follows.
    expect(attribute(tags("html")[0]!, "lang")).toBe("en");
    expect(tags("h1").map(textOf)).toEqual([`tiny ${nasty}`]);
    for (const image of tags("img")) expect(attribute(image, "alt")).toBeTruthy();
    for (const drawing of tags("svg")) expect(attribute(drawing, "aria-label")).toBeTruthy();
    for (const heading of tags("th")) expect(attribute(heading, "scope")).toBeTruthy();
    const ids = elements.flatMap((element) => attribute(element, "id") ?? []);
    expect(new Set(ids).size).toBe(ids.length);
    for (const link of tags("a")) expect(ids).toContain(attribute(link, "href")!.slice(1));

    // Numbers, gates, history, files.
    const page = textOf(document);
    for (const words of ["0.5500", "0.5100 … 0.5900", "−8.3 % better", "Failed: 1 of 2 gates", "run 2", "MP-LPIPS was not run", "broken.png", "∞"]) {
      expect(page).toContain(words);
    }
  });

  it("stays short when thousands of files were not used, and says how many", async () => {
    const unmatched = Array.from({ length: 5000 }, (_, index) => ({ role: "reference" as const, name: `${index}.png`, reason: "alone" }));
    const many = { ...sampleEvaluation([]), unmatched };
    for (const text of [
      await evaluationToHtml(many),
      evaluationToJunit(many),
      evaluationToMarkdown(many),
      evaluationToText(many, { colour: false }),
    ]) {
      expect(text.length).toBeLessThan(100_000);
      expect(text).toMatch(/500[01] files|\(5000\)/);
      expect(text).toMatch(/and 4\d+ more/);
    }
  });

  it("tells sets from scores, and is short without history and gates", async () => {
    const sample = sampleEvaluation([]);
    const { document } = parseHtml(
      await evaluationToHtml({ ...sample, history: [], gates: [], notRun: [], unmatched: [], skipped: [], passed: true }),
    );
    expect(textOf(document)).toContain("Measured, no gates set");
    expect(textOf(document)).toContain("FID compares whole sets");
    expect(textOf(document)).toContain("Every file was used");
    expect(textOf(document)).not.toContain("Baseline");
  });
});

describe("format", () => {
  it("prints about five figures, and signs that line up", () => {
    expect([50.5843, -0.2572, 1234.56, 123.456, 0, 0.000471983, Number.NaN, -Infinity].map(formatValue)).toEqual([
      ...["50.584", "−0.2572", "1234.6", "123.46", "0.0000", "0.000472", "n/a", "−∞"],
    ]);
    expect([formatChange(51, 50), formatChange(-0.5, -0.4), formatChange(1, 0), formatChange(0, 0), formatChange(1, 1)]).toEqual([
      ...["+2.0 %", "−25 %", "", "±0 %", "±0.0 %"],
    ]);
    expect([2.34, 45, 300, 7500].map(formatSeconds)).toEqual(["2.3 s", "45 s", "5 min", "2 h 5 min"]);
    expect([6009, 231_508, 2_500_000, 95_541_944, 1_786_880_927].map(formatBytes)).toEqual(["6.0 kB", "232 kB", "2.5 MB", "96 MB", "1.79 GB"]);
  });
});
