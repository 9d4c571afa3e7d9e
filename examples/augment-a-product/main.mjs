// One product photo becomes many: degraded as uploads are, and seen from other sides. `node main.mjs`; with a photo of yours: `node main.mjs photo.png mask.png`.
import { mkdir, rm, writeFile } from "node:fs/promises";
import { basename, extname } from "node:path";
import { fileURLToPath } from "node:url";
import { augmentFolder, dualAugmentation, lift, productMask, replay, saveSplats, similarViews } from "@refadgen/augment";
import { loadImage, saveImage, toRgb } from "@refadgen/image";

const folder = fileURLToPath(new URL("../../output/augment-a-product/", import.meta.url));
await rm(folder, { recursive: true, force: true });
for (const name of ["photos", "variants", "views"]) await mkdir(`${folder}${name}`, { recursive: true });

// 1. A photo, and where the product is in it. Without a mask of your own, `productMask` takes transparency or a plain background.
const [photoFile, maskFile] = process.argv.slice(2);
const image = photoFile ? toRgb(await loadImage(photoFile)) : flask(320, 400);
const mask = maskFile ? await loadImage(maskFile) : productMask(image);
const id = photoFile ? basename(photoFile, extname(photoFile)) : "flask";
await saveImage(image, `${folder}photos/${id}.png`);
await saveImage(mask, `${folder}photos/${id}_mask.png`);

// 2. The five variants of the paper, each with its mask and the record that makes it again.
const item = { id, image, mask };
let variants = 0;
for await (const { kind, suffix, image: picture, mask: itsMask, record } of dualAugmentation(item, { seed: 7 })) {
  await saveImage(picture, `${folder}variants/${id}${suffix}.png`);
  if (itsMask) await saveImage(itsMask, `${folder}variants/${id}${suffix}_mask.png`);
  await writeFile(`${folder}variants/${id}${suffix}.json`, JSON.stringify(record, null, 2));
  variants++;
  if (kind !== "degraded") continue;
  const again = await replay(item, record);
  if (Buffer.compare(again.image.data, picture.data) !== 0) throw new Error(`${suffix}: expected the same pixels from the record`);
}

// 3. Views alone, cut out. Without a depth map their shape comes from the outline; `quality` says how far a view can be trusted.
const views = await similarViews(image, mask, { count: 3, seed: 7, background: "transparent" });
for (const [index, { image: picture, pose, quality }] of views.entries()) {
  await saveImage(picture, `${folder}views/${id}_${index}.png`);
  console.log(`view ${index}: azimuth ${pose.azimuth.toFixed(1)}°, elevation ${pose.elevation.toFixed(1)}°, score ${quality.score.toFixed(2)}`);
}

// 4. What those were drawn from: splats that other programs open, too.
const { scene } = lift(image, mask);
await saveSplats(`${folder}views/${id}.ply`, scene);

// 5. The same for a whole folder, with contact sheets; run again after a stop it goes on.
for await (const event of augmentFolder({ input: `${folder}photos`, out: `${folder}batch`, seed: 7, degrade: 3, views: 2, workers: 1 })) {
  if (event.type === "failed") throw new Error(event.message);
}
console.log(`${variants} variants, ${views.length} views, ${scene.count} splats, contact sheets: ${folder}`);

/** A flask with a label, lit from the left, on white. */
function flask(width, height) {
  const data = new Uint8Array(width * height * 3).fill(255);
  const samples = [1 / 6, 1 / 2, 5 / 6];
  for (let y = 0; y < height; y++) {
    for (let x = 0; x < width; x++) {
      const sum = [0, 0, 0];
      for (const dy of samples) {
        for (const dx of samples) {
          const colour = colourAt((x + dx - width / 2) / height, (y + dy) / height) ?? [255, 255, 255];
          for (let c = 0; c < 3; c++) sum[c] += colour[c];
        }
      }
      for (let c = 0; c < 3; c++) data[(y * width + x) * 3 + c] = Math.round(sum[c] / 9);
    }
  }
  return { width, height, channels: 3, data };
}

/** `u` across and `v` down, in heights of the picture; undefined beside the flask. */
function colourAt(u, v) {
  const smooth = (from, to, t) => from + (to - from) * (3 - 2 * t) * t * t;
  let radius = 0.19;
  if (v < 0.08 || v > 0.93) radius = 0;
  else if (v < 0.18) radius = 0.085;
  else if (v < 0.28) radius = 0.075;
  else if (v < 0.42) radius = smooth(0.075, 0.19, (v - 0.28) / 0.14);
  else if (v > 0.9) radius = 0.19 - 0.03 * ((v - 0.9) / 0.03) ** 2;
  if (Math.abs(u) >= radius) return undefined;
  const across = u / radius;
  const towards = Math.sqrt(1 - across * across);
  const around = Math.asin(across);
  let colour = v < 0.18 ? [60, 52, 50] : [32, 118, 128];
  if (v > 0.5 && v < 0.8) {
    const petal = Math.hypot(around, (v - 0.65) * 5) - 0.45 - 0.12 * Math.cos(6 * Math.atan2((v - 0.65) * 5, around));
    colour = petal < 0 ? [222, 92, 60] : v < 0.52 || v > 0.78 ? [214, 168, 70] : [244, 236, 218];
  }
  if (v < 0.18 && Math.sin(around * 40) > 0.6) colour = [88, 78, 74];
  const light = 0.45 + 0.6 * Math.max(0, -0.55 * across + 0.8 * towards);
  const gloss = 70 * Math.max(0, 1 - Math.abs(across + 0.5) * 9) * (v > 0.18 ? 1 : 0.3);
  return colour.map((value) => Math.min(255, value * light + gloss));
}
