import { encodeImage, type Image, resizeImage } from "@refadgen/image";
import { random } from "../mini/random.js";
import { type MiniTriplet, miniTriplet } from "../mini/triplet.js";
import type { DatasetReportData, ReportTriplet, ScoreColumn } from "./data.js";

const png = (image: Image) => encodeImage(image, { format: "png" });

async function reportTriplet({ key, category, ad, product, captions }: MiniTriplet, views: MiniTriplet["views"]): Promise<ReportTriplet> {
  const { width, height } = ad.mask;
  const mask = await png({ width, height, channels: 1, data: ad.mask.data.map((value) => 255 * value) });
  const variants = await Promise.all(
    views.map(async ({ image }, index) => ({ index, kind: index < 3 ? "degraded" : "view", product: await png(index < 3 ? coarse(image) : image) })),
  );
  return {
    key,
    category,
    split: Number(key) % 10 === 0 ? "test" : "train",
    ad: await png(ad.image),
    product: await png(product.image),
    mask,
    variants,
    captions,
  };
}

function coarse(image: Image): Image {
  const { width, height } = image;
  return resizeImage(resizeImage(image, { width: width >> 2, height: height >> 2 }, { filter: "box" }), { width, height }, { filter: "bilinear" });
}

/** Scores of items that never were, some beyond their thresholds. */
export function scoreColumns(items: number): ScoreColumn[] {
  const draw = random("scores", items);
  const column = (value: () => number | null) => Array.from({ length: items }, value);
  return [
    {
      name: "sharpness",
      meaning: "how much fine detail there is",
      better: "higher",
      least: 0.28,
      values: column(() => Math.max(0, 0.6 + 0.18 * draw.normal())),
    },
    {
      name: "shorter side",
      unit: "pixels",
      meaning: "of the picture",
      better: "higher",
      least: 512,
      values: column(() => draw.pick([384, 512, 640, 768, 800, 1024, 1080, 2048])),
    },
    {
      name: "text area",
      unit: "share",
      meaning: "text outside the product",
      better: "lower",
      most: 0.03,
      values: column(() => (draw.chance(0.7) ? 0 : draw.uniform() ** 3 * 0.4)),
    },
    {
      name: "product area",
      unit: "share",
      meaning: "of the frame",
      better: "between",
      least: 0.03,
      most: 0.8,
      values: column(() => (draw.chance(0.02) ? null : draw.uniform() ** 1.5)),
    },
    { name: "watermark", meaning: "how likely there is one", better: "lower", values: column(() => draw.uniform() ** 6) },
  ];
}

/** A run on AdProd-Mini as it might have gone. `hostile`: text that would be markup. */
export async function reportData({
  triplets = 6,
  items = 1000,
  hostile = "",
}: {
  readonly triplets?: number;
  readonly items?: number;
  readonly hostile?: string;
} = {}): Promise<DatasetReportData> {
  const made: ReportTriplet[] = [];
  for (let index = 0; index < triplets; index++) {
    const mini = miniTriplet(index * 5, { seed: 7, width: 128, height: 160, views: 5 });
    made.push(await reportTriplet({ ...mini, key: hostile + mini.key, captions: mini.captions.map((caption) => caption + hostile) }, mini.views));
  }
  const shown = made.map(({ key, ad }) => ({ key, picture: ad }));
  return {
    title: `AdProd-Mini, 1000 pictures${hostile}`,
    facts: { source: `folder pictures${hostile}`, seed: 7 },
    stages: [
      { stage: "ingest", done: 990, rejected: 6, failed: 4, waiting: 0 },
      { stage: "score", done: 990, rejected: 0, failed: 0, waiting: 0 },
      { stage: "filter", done: 861, rejected: 129, failed: 0, waiting: 0 },
      { stage: "duplicates", done: 839, rejected: 22, failed: 0, waiting: 0 },
      { stage: "extract", done: 831, rejected: 8, failed: 0, waiting: 0 },
      { stage: `caption${hostile}`, done: 760, rejected: 12, failed: 9, waiting: 50 },
      { stage: "augment", done: 760, rejected: 0, failed: 0, waiting: 0 },
    ],
    categories: [
      { category: "backpack", items: 300, triplets: 260, rows: 1300, train: 234, test: 26 },
      { category: "wine glass", items: 250, triplets: 200, rows: 1000, train: 180, test: 20 },
      { category: "sneakers", items: 250, triplets: 180, rows: 900, train: 162, test: 18 },
      { category: `garden gnome${hostile}`, items: 200, triplets: 120, rows: 600, train: 108, test: 12 },
    ],
    rejections: [
      { stage: "filter", code: "watermark", message: `a watermark covers 12 % of the picture${hostile}`, count: 71, samples: shown.slice(0, 5) },
      { stage: "filter", code: `blur${hostile}`, message: "sharpness 0.11 is below 0.28", count: 58, samples: shown.slice(2, 4) },
      { stage: "extract", code: "no-product", message: "no part of the picture stands out from its background", count: 8, samples: [] },
      {
        stage: "caption",
        code: "caption-script",
        message: "caption 2 has 4 letters of another writing system than en's",
        count: 12,
        samples: [{ key: "gone", picture: async () => undefined }],
      },
    ],
    failures: [
      {
        stage: "ingest",
        code: "unreadable",
        message: `expected a whole PNG file, got its first 812 bytes${hostile}`,
        count: 4,
        keys: ["broken_0", `broken_1${hostile}`],
        retryable: false,
      },
      { stage: "caption", code: "network", message: "127.0.0.1:8000 answered 503: busy", count: 9, keys: ["000012"], retryable: true },
    ],
    scores: scoreColumns(items),
    duplicates: {
      clusters: 9,
      items: 31,
      samples: [
        {
          size: 3,
          members: shown
            .slice(0, 3)
            .map((member, index) => ({ ...member, kept: index === 0, ...(index > 0 && { note: `distance ${index}${hostile}` }) })),
        },
      ],
    },
    triplets: made,
    settings: { seed: 7, sources: [{ kind: "folder", path: `pictures${hostile}` }], filter: { sharpness: { least: 0.28 } } },
    notes: [`50 items wait for captions: the budget of 700 calls is spent${hostile}`],
  };
}
