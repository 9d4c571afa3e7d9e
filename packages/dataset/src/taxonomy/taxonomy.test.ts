import { describe, expect, it } from "vitest";
import { miniCategories } from "../mini/products/catalogue.js";
import { tableOneCounts } from "../report/table-one.js";
import { defaultTaxonomy, findCategory, parseTaxonomy } from "./taxonomy.js";

describe("defaultTaxonomy", () => {
  it("has the categories of Table 1, each label for one of them", () => {
    expect(defaultTaxonomy.categories.map(({ name }) => name).sort()).toEqual(
      Object.keys(tableOneCounts)
        .map((name) => name.toLowerCase())
        .sort(),
    );
    const labels = defaultTaxonomy.categories.flatMap(({ name, synonyms }) => [name, ...synonyms]);
    expect(new Set(labels).size).toBe(labels.length);
    for (const { name } of miniCategories) expect(findCategory(defaultTaxonomy, name)?.name).toBe(name);
  });

  it.each([
    ["Cell_Phone", "cell phone"],
    ["smartphones", "cell phone"],
    ["hat", "hats"],
    ["sports-ball", "sports ball"],
    ["rucksack", "backpack"],
    ["Wine glasses", undefined],
    ["tumbler", undefined],
    ["giraffe", undefined],
  ])("takes %s for %s", (label, name) => {
    expect(findCategory(defaultTaxonomy, label)?.name).toBe(name);
  });
});

describe("parseTaxonomy", () => {
  it("reads one of one's own, with what is usual where it says nothing", () => {
    const taxonomy = parseTaxonomy({
      name: "garden",
      categories: [
        { name: "Watering can", synonyms: ["can"], not: ["bucket"] },
        { name: "rake", prompt: "garden rake" },
      ],
    });
    expect(taxonomy.categories).toMatchObject([
      { name: "watering can", synonyms: ["can"], prompt: "watering can", words: { phrase: "a watering can", contradicting: ["bucket"] } },
      { name: "rake", prompt: "garden rake", words: { phrase: "a rake", accepted: ["rake"] } },
    ]);
    expect(findCategory(taxonomy, "cans")?.name).toBe("watering can");
  });

  it.each([
    [{ name: "x" }, /list of categories/],
    [{ name: "x", categories: [{ name: "a" }, { name: "A" }] }, /each category once/],
    [{ name: "x", categories: [{ name: "a" }, { name: "b", synonyms: ["a"] }] }, /one category/],
    [{ name: "x", categories: [{ name: "a", synonim: [] }] }, /synonim/],
    ["x", /an object/],
  ])("refuses %j", (value, message) => {
    expect(() => parseTaxonomy(value)).toThrow(message);
  });
});
