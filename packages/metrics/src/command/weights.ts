import { ArgumentError } from "@refadgen/errors";
import { type NeededFile, neededFiles } from "../evaluate/networks.js";
import { feeds, type NetworkId, networksOf, weightIdsOf } from "../evaluate/plan.js";
import { type MetricName, metricNames } from "../metrics/contract.js";
import { formatBytes } from "../report/format.js";
import { table } from "../report/text.js";
import { MetricWeightsError } from "../weights/error.js";
import { locateWeights } from "../weights/locate.js";
import { networkOptionsOf, type WeightSettings } from "./weight-settings.js";

/** The options of `refadgen-metrics weights`. */
export interface WeightsSettings extends WeightSettings {
  readonly metrics?: readonly MetricName[];
  readonly json?: boolean;
}

const allNetworks: readonly NetworkId[] = [
  "inception",
  "lpips-alex",
  "lpips-vgg",
  "lpips-squeeze",
  "clip-vit-b-32",
  "clip-vit-b-16",
  "clip-vit-l-14",
  "image-reward",
  "dino-vit-s-16",
  "dino-vit-b-16",
  "dift",
];

/** Prints what every metric needs, and whether it is there. */
export async function listWeights(settings: WeightsSettings): Promise<void> {
  const files = await filesOf(settings);
  if (settings.json) {
    const plain = files.map(({ file, state, path }) => ({ ...file, metrics: usersOf(file.id), state, ...(path !== undefined && { path }) }));
    process.stdout.write(`${JSON.stringify(plain, null, 2)}\n`);
    return;
  }
  const rows = files.map(({ file, state }) => [
    state === "absent" ? "no" : state === "shipped" ? "shipped" : "yes",
    file.id,
    `${file.exactBytes ? "" : "~"}${formatBytes(file.bytes)}`,
    file.licence,
    usersOf(file.id).join(", "),
  ]);
  const sources = files
    .filter(({ state }) => state !== "shipped")
    .map(({ file, path }) => `${file.id}\n  ${file.note}\n  from ${file.source}${path === undefined ? "" : `\n  here ${path}`}`);
  const weightless = metricNames.filter((metric) => networksOf(metric).length === 0 && (settings.metrics ?? metricNames).includes(metric));
  const absent = files.filter(({ state }) => state === "absent");
  const lines = [
    ...(files.length > 0 ? table([["here", "file", "size", "licence", "for"], ...rows]) : []),
    "",
    ...sources,
    "",
    ...(weightless.length > 0 ? [`${weightless.join(", ")}: no weights needed`] : []),
    ...(absent.length > 0
      ? [
          `${absent.length} of ${files.length} are not here (${formatBytes(absent.reduce((sum, { file }) => sum + file.bytes, 0))}): ` +
            "refadgen-metrics weights fetch gets them, eval does so when it needs them; with --metrics only those of some metrics",
        ]
      : []),
  ];
  process.stdout.write(`${lines.join("\n").trim()}\n`);
}

/**
 * Downloads what is not there.
 *
 * @throws MetricWeightsError when something cannot be had; what was fetched before stays
 */
export async function fetchWeights(settings: WeightsSettings, signal: AbortSignal): Promise<void> {
  if (settings.offline) throw new ArgumentError("weights fetch: expected to be allowed to use the network, got --offline");
  const absent = (await filesOf(settings)).filter(({ state }) => state === "absent");
  const failures: string[] = [];
  for (const { file, source } of absent) {
    signal.throwIfAborted();
    let told = 0;
    try {
      const path = await locateWeights(source as string, {
        signal,
        ...(file.sha256 !== undefined && source === file.source && { sha256: file.sha256 }),
        ...(typeof settings.cache === "string" && { cacheDirectory: settings.cache }),
        onProgress: ({ done, total = file.bytes }) => {
          const tenth = Math.floor((10 * done) / total);
          if (tenth > told) process.stderr.write(`${file.file}: ${formatBytes(done)} of ${formatBytes(total)}\n`);
          told = Math.max(told, tenth);
        },
      });
      process.stdout.write(`${path}\n`);
    } catch (error) {
      signal.throwIfAborted();
      failures.push(`${file.file}: ${error instanceof Error ? error.message : String(error)}`);
    }
  }
  if (failures.length > 0) {
    throw new MetricWeightsError(
      "missing",
      `${failures.length} of ${absent.length} files could not be fetched. ${failures.join("; ")}. What was fetched stays; run the command again to go on`,
    );
  }
  if (absent.length === 0) process.stdout.write("everything is here\n");
}

async function filesOf(settings: WeightsSettings): Promise<readonly NeededFile[]> {
  const networks = settings.metrics ? [...new Set(settings.metrics.flatMap((metric) => networksOf(metric)))] : allNetworks;
  return neededFiles(networks, networkOptionsOf(settings));
}

/** The metrics that may need a file, whatever their settings. */
function usersOf(id: string): readonly string[] {
  const choices = [
    {},
    { lpips: "vgg" },
    { lpips: "squeeze" },
    { clip: "clip-vit-b-16" },
    { clip: "clip-vit-l-14" },
    { dino: "dino-vit-b-16", matching: "dino" },
    { matching: "dino" },
  ] as const;
  return (Object.keys(feeds) as MetricName[]).filter((metric) =>
    choices.some((choice) => networksOf(metric, choice).some((network) => weightIdsOf(network).includes(id as never))),
  );
}
