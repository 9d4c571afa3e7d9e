// npm run metrics: what @refadgen/metrics takes, beside the Python packages. See usage.
import { availableParallelism, cpus, loadavg, totalmem } from "node:os";
import { parseArgs } from "node:util";
import { ArgumentError } from "@refadgen/errors";
import { measureDistance } from "./metrics-distance.js";
import { measureMemory } from "./metrics-memory.js";
import { measureRates, networkCases } from "./metrics-networks.js";

const usage = `npm run metrics -w bench -- [options]
  --only LIST     of distance,memory,networks; default all
  --cases LIST    networks: of ${networkCases.join(",")}; default all
  --python PATH   Python with torch, pytorch-fid, lpips, open_clip and scipy; without it the peers are left out
  --count N       pictures of the distance, default 50000
  --pictures N    files of the networks, default 64
  --rounds N      of the networks, default 5
  --threads N     of every contestant, default all processors
  --quick         small sizes: shows that everything runs, measures nothing of interest
  --help`;

async function main(args: readonly string[]): Promise<void> {
  const text = { type: "string" } as const;
  const { values } = parseArgs({
    args: [...args],
    options: {
      only: text,
      cases: text,
      python: text,
      count: text,
      pictures: text,
      rounds: text,
      threads: text,
      quick: { type: "boolean" },
      help: { type: "boolean" },
    },
  });
  if (values.help) return console.log(usage);
  const quick = values.quick ?? false;
  const parts = new Set(values.only?.split(",") ?? ["distance", "memory", "networks"]);
  const cases = (values.cases?.split(",") ?? networkCases).map((name) => {
    const found = networkCases.find((known) => known === name);
    if (!found) throw new ArgumentError(`--cases: expected ${networkCases.join(", ")}, got "${name}"`);
    return found;
  });
  const { python } = values;
  const threads = whole(values.threads, availableParallelism());
  console.log(`${cpus()[0]?.model}, ${availableParallelism()} processors, ${gigabytes(totalmem())} GB, Node ${process.version}, load ${loadavg().map((load) => load.toFixed(1)).join(" ")}`); // biome-ignore format: one line
  if (parts.has("distance")) {
    const { ours, peer } = await measureDistance({ count: whole(values.count, quick ? 700 : 50_000), dimensions: quick ? 256 : 2048, python });
    console.log(
      `distance of ${ours.count} × ${ours.dimensions}: ${ours.value} in ${ours.seconds.toFixed(1)} s (statistics ${ours.statisticsSeconds.toFixed(1)} s), ${gigabytes(ours.extraBytes)} GB beside the features`,
    );
    if (peer) {
      const error = Math.abs(ours.value - peer.value) / Math.abs(peer.value);
      console.log(
        `  scipy: ${peer.value} in ${peer.seconds.toFixed(1)} s (statistics ${peer.statisticsSeconds.toFixed(1)} s), ${gigabytes(peer.extraBytes)} GB; relative difference ${error.toExponential(1)}`,
      );
    }
  }
  if (parts.has("memory")) {
    const { resident } = await measureMemory(quick ? [100, 200] : [1000, 5000, 10_000, 50_000, 100_000]);
    for (const [count, bytes] of resident) console.log(`memory at ${count} pictures: ${(bytes / 1e6).toFixed(0)} MB resident`);
  }
  if (parts.has("networks")) {
    const settings = { cases, pictures: whole(values.pictures, quick ? 16 : 64), rounds: whole(values.rounds, quick ? 1 : 5), threads, python };
    for (const { name, items, ours, peer, ratio } of await measureRates({ ...settings, log: (line) => console.error(line) })) {
      const rates = (list: readonly number[]) => list.map((rate) => rate.toFixed(2)).join(" ");
      console.log(`${name}, ${items} a round: ours ${rates(ours)}; peer ${rates(peer)}; ratio ${ratio?.toFixed(2) ?? "not measured"}`);
    }
  }
}

function whole(text: string | undefined, otherwise: number): number {
  const number = text === undefined ? otherwise : Number(text);
  if (!Number.isInteger(number) || number < 1) throw new ArgumentError(`expected a whole number of at least 1, got "${text}"`);
  return number;
}

function gigabytes(bytes: number): string {
  return (bytes / 1e9).toFixed(2);
}

await main(process.argv.slice(2));
