/**
 * What a product is taken to be like where nothing is known of its depth:
 * - `round`: turned on a lathe or blown up: bottles, cups, balls, fruit, tubes, cables;
 * - `box`: a front face with sides that go back: cartons, books, devices;
 * - `flat`: a card, a print, a garment laid out;
 * - `auto`: chosen by the outline.
 */
export type ShapePrior = "auto" | "round" | "box" | "flat";
