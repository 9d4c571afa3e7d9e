import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { type IncomingSource, type OwnStages, type RunConfig, runDataset, type StoredFile, scoreNames } from "@refadgen/dataset";
import { childInput, childOutput } from "./child.js";

/** A run over items that are nothing but rows: what a run itself takes of memory and time, without pictures. */
export interface MemoryInput {
  readonly items: number;
}

export interface MemoryFigures {
  readonly items: number;
  readonly seconds: number;
  /** The most that was resident, in MB. */
  readonly megabytes: number;
}

const { items } = childInput<MemoryInput>();
const output = await mkdtemp(join(tmpdir(), "refadgen-bench-memory-"));
const hex = (index: number, salt: number, digits: number) => {
  // A 32-bit mix (Murmur3's finaliser), again for each eight digits.
  let text = "";
  for (let part = 0; text.length < digits; part++) {
    let value = (index * 2654435761 + salt * 40503 + part * 97) >>> 0;
    value = Math.imul(value ^ (value >>> 16), 0x85ebca6b);
    value = Math.imul(value ^ (value >>> 13), 0xc2b2ae35);
    text += ((value ^ (value >>> 16)) >>> 0).toString(16).padStart(8, "0");
  }
  return text.slice(0, digits);
};
const file = (index: number, salt: number): StoredFile => ({ sha256: hex(index, salt, 64), bytes: 50_000, type: "image/png" });
const number = (key: string) => Number.parseInt(key.slice(1), 10);
const source: IncomingSource = {
  state: () => Promise.resolve("synthetic"),
  async *items() {
    for (let index = 0; index < items; index++) {
      yield {
        key: `i${String(index).padStart(8, "0")}`,
        location: `${index}`,
        input: String(index),
        ingest: () =>
          Promise.resolve({
            outcome: "done",
            row: {
              provenance: { kind: "folder", location: `${index}`, sha256: hex(index, 1, 64), orientation: 1, format: "png" },
              picture: file(index, 2),
              width: 640,
              height: 512,
              category: ["bottle", "cup", "car", "kite"][index % 4]!,
            },
          }),
      };
    }
  },
};
const scores = scoreNames.map(({ name }) => name);
const rows = (key: string, of: string) =>
  Object.fromEntries(scores.map((name, at) => [name, Number.parseInt(hex(number(key), at + of.length, 4), 16) / 65_536]));
const stages: OwnStages = {
  score: { name: "score", needs: ["ingest"], settings: {}, run: ({ key }) => Promise.resolve({ outcome: "done", row: rows(key, "score") }) },
  fingerprint: {
    name: "fingerprint",
    needs: ["ingest"],
    settings: {},
    run: ({ key }) =>
      Promise.resolve({
        outcome: "done",
        row: { pixels: hex(number(key), 3, 64), hashes: Array.from({ length: 8 }, (_, at) => hex(number(key), 10 + at, 16)) },
      }),
  },
  extract: {
    name: "extract",
    needs: ["ingest"],
    settings: {},
    run: ({ key }) =>
      Promise.resolve({ outcome: "done", row: { product: file(number(key), 4), mask: file(number(key), 5), driver: "none", score: 1, reasons: [] } }),
  },
  inspect: {
    name: "inspect",
    needs: ["ingest", "extract"],
    settings: {},
    run: ({ key }) => Promise.resolve({ outcome: "done", row: rows(key, "inspect") }),
  },
  caption: {
    name: "caption",
    needs: ["ingest"],
    settings: {},
    run: ({ key }) =>
      Promise.resolve({ outcome: "done", row: { captions: [1, 2, 3, 4].map((at) => `caption ${at} of ${key}`), writer: "none", attempts: 1 } }),
  },
  augment: {
    name: "augment",
    needs: ["extract"],
    settings: {},
    run: ({ key }) =>
      Promise.resolve({
        outcome: "done",
        row: { variants: [0, 1, 2, 3, 4].map((at) => ({ index: at, kind: "degraded" as const, product: file(number(key), 20 + at), record: {} })) },
      }),
  },
};
const config: RunConfig = { sources: [{ kind: "folder", path: "nowhere" }], output, filter: { thresholds: [{ score: "blur", most: 0.9 }] } };
let most = 0;
const watch = setInterval(() => {
  most = Math.max(most, process.memoryUsage.rss());
}, 50);
const begin = performance.now();
try {
  await runDataset(config, {
    sources: [source],
    stages,
    only: ["ingest", "score", "fingerprint", "extract", "inspect", "caption", "augment", "split"],
    onProgress: ({ done }) => {
      if (done % 100 === 0) most = Math.max(most, process.memoryUsage.rss());
    },
  });
  childOutput({ items, seconds: (performance.now() - begin) / 1000, megabytes: most / 1e6 } satisfies MemoryFigures);
} finally {
  clearInterval(watch);
  await rm(output, { recursive: true, force: true });
}
