import { execFile } from "node:child_process";
import { mkdir, mkdtemp, rm } from "node:fs/promises";
import { availableParallelism, tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { parseArgs, promisify } from "node:util";
import {
  type AnisotropicBlurParams,
  augmentFolder,
  type DegradationName,
  type DegradationParams,
  degrade,
  parameterGenerator,
  type Sample,
  sampleDegradation,
} from "@refadgen/augment";
import { type Image, resizeImage, saveImage } from "@refadgen/image";
import sharp from "sharp";
import { median } from "./statistics.js";

// The degradations of @refadgen/augment against OpenCV and albumentations, and the whole recipe: products per second.

const usage = `Usage: npm run bench:augment -- [--python PATH] [--rounds N] [--products N] [--workers N] [--quick]
  --python PATH   Python with opencv-python-headless and albumentations: peers/augment_operations.py runs before and after ours
  --rounds N      timed calls of each, default 15
  --products N    photos for the recipe, default 12
  --workers N     threads for the recipe, default 2
  --quick         small pictures: shows that everything runs`;

/** Calls before those that are timed: as many as V8 takes to compile WebAssembly and JavaScript for good. Batches call each thousands of times. */
const warmUp = 12;

const { values } = parseArgs({
  options: {
    python: { type: "string" },
    rounds: { type: "string" },
    products: { type: "string" },
    workers: { type: "string" },
    quick: { type: "boolean" },
    help: { type: "boolean" },
  },
});
if (values.help) console.log(usage);
else {
  const quick = values.quick ?? false;
  const size = quick ? { width: 160, height: 128 } : { width: 640, height: 512 };
  console.log(`${size.width} × ${size.height}, ${process.version}, ${availableParallelism()} processors`);
  await operations(size, values.python, Number(values.rounds ?? (quick ? 3 : 15)));
  await recipe(size, Number(values.products ?? (quick ? 2 : 12)), Number(values.workers ?? 2));
}

/** Of all threads of this process: what other programs take does not count. */
function processorMilliseconds(start: NodeJS.CpuUsage): number {
  const { user, system } = process.cpuUsage(start);
  return (user + system) / 1000;
}

interface Size {
  readonly width: number;
  readonly height: number;
}

/** Smooth colours, as photos have them. */
function picture({ width, height }: Size, item: string): Image {
  const generator = parameterGenerator({ seed: "bench", item });
  const small = { width: Math.ceil(width / 8), height: Math.ceil(height / 8) };
  const data = Uint8Array.from({ length: small.width * small.height * 3 }, () => generator.index(256));
  return resizeImage({ ...small, channels: 3, data }, { width, height });
}

async function operations(size: Size, python: string | undefined, rounds: number): Promise<void> {
  const image = picture(size, "operations");
  const generator = parameterGenerator({ seed: "bench" });
  const drawn = <Name extends DegradationName>(name: Name) => [name, name, sampleDegradation(name, generator, 2, size)] as const;
  const tilted: AnisotropicBlurParams = { sigmaAlong: 5, sigmaAcross: 2, degrees: 20 };
  const cases: readonly (readonly [label: string, name: DegradationName, params: DegradationParams[DegradationName]])[] = [
    drawn("gaussian-noise"),
    drawn("poisson-noise"),
    drawn("iso-noise"),
    drawn("speckle-noise"),
    drawn("impulse-noise"),
    ["gaussian-blur sigma 1.4", "gaussian-blur", { sigma: 1.4 }],
    ["gaussian-blur sigma 5", "gaussian-blur", { sigma: 5 }],
    ["motion-blur 15", "motion-blur", { length: 15, degrees: 30 }],
    ["defocus-blur 6", "defocus-blur", { radius: 6 }],
    ["anisotropic-blur 5", "anisotropic-blur", tilted],
    ["jpeg 50", "jpeg", { quality: 50 }],
    ["webp 50", "webp", { quality: 50 }],
    ["rescale 1/4", "rescale", { factor: 0.25 }],
    drawn("gamma"),
    drawn("contrast"),
    drawn("saturation"),
    drawn("white-balance"),
    drawn("colour-profile"),
    drawn("vignette"),
    drawn("cast-shadow"),
    drawn("glare"),
    drawn("perspective"),
    drawn("affine"),
    drawn("lens"),
    drawn("thin-plate"),
    drawn("elastic"),
    drawn("hand-occlusion"),
    drawn("tag-occlusion"),
    drawn("matte-error"),
  ];
  const before = await peers(size, python, rounds);
  const ours = new Map<string, number>();
  const sample: Sample = { image };
  // sharp's own threads would have two processors where the peers have one.
  sharp.concurrency(1);
  for (const [label, name, params] of cases) {
    const times: number[] = [];
    for (let i = -warmUp; i < rounds; i++) {
      const started = process.cpuUsage();
      await degrade(sample, name, params);
      if (i >= 0) times.push(processorMilliseconds(started));
    }
    ours.set(label, median(times));
  }
  const after = await peers(size, python, rounds);
  console.log(`\n| operation | ours, processor ms | peer, processor ms | ours as fast as the peer × |\n|---|---|---|---|`);
  for (const [label, own] of ours) {
    const peer = [before, after].map((each) => each?.times[label]).filter((time) => time !== undefined);
    const time = peer.length > 0 ? peer.reduce((sum, value) => sum + value, 0) / peer.length : undefined;
    console.log(`| ${label} | ${own.toFixed(2)} | ${time?.toFixed(2) ?? "–"} | ${time === undefined ? "–" : (time / own).toFixed(2)} |`);
  }
  if (before) console.log(`\npeers: ${before.versions}, one thread`);
}

async function peers(
  { width, height }: Size,
  python: string | undefined,
  rounds: number,
): Promise<{ readonly versions: string; readonly times: Readonly<Record<string, number>> } | undefined> {
  if (python === undefined) return undefined;
  const script = fileURLToPath(new URL("../peers/augment_operations.py", import.meta.url));
  const { stdout } = await promisify(execFile)(python, [script, String(width), String(height), String(rounds)], {
    env: { ...process.env, NO_ALBUMENTATIONS_UPDATE: "1" },
  });
  return JSON.parse(stdout.trim().split("\n").at(-1)!);
}

/** PNG photos with masks in; five variants with masks, as PNG, out. */
async function recipe(size: Size, products: number, workers: number): Promise<void> {
  const folder = await mkdtemp(join(tmpdir(), "refadgen-bench-augment-"));
  try {
    const input = join(folder, "in");
    await mkdir(input);
    for (let k = 0; k < products; k++) {
      const { width, height } = size;
      const image = picture(size, `product ${k}`);
      const mask = new Uint8Array(width * height);
      for (let y = 0, i = 0; y < height; y++) {
        for (let x = 0; x < width; x++, i++) {
          const inside = Math.abs((x / width - 0.5) / 0.34) ** 3 + Math.abs((y / height - 0.5) / 0.42) ** 3 < 1;
          mask[i] = inside ? 255 : 0;
          if (!inside) image.data.fill(245, i * 3, i * 3 + 3);
        }
      }
      await saveImage(image, join(input, `product-${k}.png`));
      await saveImage({ width, height, channels: 1, data: mask }, join(input, `product-${k}_mask.png`));
    }
    for (const [name, degraded, views] of [
      ["three degraded, two views", 3, 2],
      ["five degraded", 5, 0],
    ] as const) {
      const started = process.cpuUsage();
      const clock = performance.now();
      let failed = 0;
      let message = "";
      const out = join(folder, `out-${views}`);
      for await (const event of augmentFolder({ input, out, seed: 7, degrade: degraded, views, workers, contactSheets: false })) {
        if (event.type !== "failed") continue;
        failed++;
        message = event.message;
      }
      const seconds = (performance.now() - clock) / 1000;
      const each = processorMilliseconds(started) / 1000 / products;
      const rate =
        failed > 0
          ? `${failed} failed: ${message}`
          : `${(products / seconds).toFixed(2)} products/s by the clock; ${each.toFixed(2)} s of processor each, ${(workers / each).toFixed(2)} products/s if ${workers} were free`;
      console.log(`\nrecipe, ${name}: ${products} photos, ${workers} workers, threads' start included: ${rate}`);
    }
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
}
