import { ArgumentError } from "@refadgen/errors";
import type { DatasetReportData } from "./data.js";
import { reportHtml } from "./html/page.js";
import { reportMarkdown } from "./markdown.js";
import { summarise } from "./summary.js";

export interface DatasetReportOptions {
  /** Pixels of a thumbnail's longer side, 32 to 640. Default 224. */
  readonly thumbnail?: number;
  /** Pictures in the whole page, of 5 to 10 kB each. Default 400. */
  readonly mostPictures?: number;
  /** Pictures of each reason and of each group of duplicates. Default 8. */
  readonly picturesEach?: number;
  /** Triplets and groups of duplicates. Default 12. */
  readonly samples?: number;
  /** Items whose scores go into the page, one byte for each threshold; beyond, what-if counts are estimated from as many. Default 50 000. */
  readonly mostItems?: number;
  readonly signal?: AbortSignal;
}

export interface DatasetReport {
  /** A page that needs nothing but itself: no other file, no network. */
  readonly html: string;
  readonly json: string;
  readonly markdown: string;
}

/**
 * What became of a pile of pictures, as a page to look at, as JSON and as Markdown: counts of each stage and category beside the paper's Table 1, reasons of
 * rejections with pictures, scores with thresholds that can be moved, groups of duplicates, sample triplets, failures and settings. The same data give the
 * same bytes; the page's size is bounded whatever the number of items. Text from items is shown, never interpreted.
 *
 * @throws ArgumentError for data or options out of range
 */
export async function datasetReport(data: DatasetReportData, options: DatasetReportOptions = {}): Promise<DatasetReport> {
  const { thumbnail = 224, mostPictures = 400, picturesEach = 8, samples = 12, mostItems = 50_000, signal } = options;
  for (const [name, value] of Object.entries({ mostPictures, picturesEach, samples, mostItems })) {
    if (!Number.isInteger(value) || value < 0) throw new ArgumentError(`datasetReport: expected ${name} of at least 0, got ${value}`);
  }
  if (!Number.isInteger(thumbnail) || thumbnail < 32 || thumbnail > 640)
    throw new ArgumentError(`datasetReport: expected a thumbnail of 32 to 640 pixels, got ${thumbnail}`);
  const summary = summarise(data);
  return {
    html: await reportHtml(data, summary, { thumbnail, mostPictures, picturesEach, samples, mostItems, signal }),
    json: `${JSON.stringify({ version: 1, ...summary }, undefined, 2)}\n`,
    markdown: reportMarkdown(summary),
  };
}
