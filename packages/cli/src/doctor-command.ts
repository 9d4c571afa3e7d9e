import { execFile } from "node:child_process";
import { readFile, statfs } from "node:fs/promises";
import { arch, availableParallelism, cpus, freemem, platform, totalmem } from "node:os";
import { dirname } from "node:path";
import { promisify } from "node:util";
import { cacheFolder, type ExecutionProvider, executionProviders, Graph, openSession, relu } from "@refadgen/graph";
import { hubCacheDirectory } from "@refadgen/hub";
import type { Command } from "commander";
import { bytesText, columns, print, printJson } from "./print.js";

interface Check {
  readonly name: string;
  readonly ok: boolean;
  readonly detail: string;
}

/** Peaks in bytes, from the speed log: a 512 × 640 image in float32 with the networks loaded one by one; the kept graph; the published files. */
const needs = { memory: 6e9, keptGraph: 4.5e9, downloads: 7.1e9 + 3.4e9 } as const;

/** `refadgen doctor` */
export function addDoctorCommand(program: Command, signal: AbortSignal): void {
  program
    .command("doctor")
    .description("Tell what this machine can do: Node, what can compute, instruction sets, memory, disk, and what will fit.")
    .option("--json", "as JSON")
    .option("--debug", "print where an error came from")
    .addHelpText("after", "\nExamples:\n  refadgen doctor\n  refadgen doctor --json\n\nExit code 1: images cannot be made here.")
    .action((settings: { readonly json?: boolean }) => doctor(settings, signal));
}

async function doctor({ json }: { readonly json?: boolean }, signal: AbortSignal): Promise<void> {
  const node = nodeCheck();
  const runtimes: Check[] = [];
  for (const check of runtimeChecks) {
    signal.throwIfAborted();
    runtimes.push(...(await check()));
  }
  const instructions = await instructionSets();
  const memory = { total: totalmem(), available: await availableMemory() };
  const disks = await Promise.all([disk("kept graphs", cacheFolder()), disk("fetched files", hubCacheDirectory())]);
  const fits = whatFits(memory, disks);
  if (json)
    printJson({
      node,
      machine: { cpu: cpus()[0]?.model, threads: availableParallelism(), platform: platform(), arch: arch() },
      instructions,
      runtimes,
      memory,
      disks,
      fits,
    });
  else {
    print(
      [
        mark(node),
        mark({
          name: "Processor",
          ok: true,
          detail: `${cpus()[0]?.model.trim() ?? arch()}, ${availableParallelism()} threads, ${platform()} ${arch()}`,
        }),
        mark({ name: "Instructions", ok: true, detail: instructions.length > 0 ? instructions.join(", ") : "not told by this system" }),
        mark({ name: "Memory", ok: true, detail: `${bytesText(memory.available)} available of ${bytesText(memory.total)}` }),
        ...disks.map(({ name, folder, free }) => mark({ name: "Disk", ok: true, detail: `${bytesText(free)} free for ${name}, ${folder}` })),
        "",
        "What can compute here (each was tried):",
        columns(runtimes.map(({ name, ok, detail }) => [ok ? "yes" : "no", name, detail])),
        "",
        "What will fit:",
        columns(fits.map(({ name, ok, detail }) => [ok ? "yes" : "no", name, detail])),
      ].join("\n"),
    );
  }
  const essential = [node, runtimes.find(({ name }) => name === "ONNX Runtime: cpu")].find((check) => check && !check.ok);
  if (essential) throw new Error(`doctor: images cannot be made here: ${essential.name}: ${essential.detail}`);
}

/** What computes is tried here: one entry per runtime, each telling about all its devices. */
const runtimeChecks: readonly (() => Promise<readonly Check[]>)[] = [onnxRuntime];

/** A provider works when a graph has run on it; that its library exists says little. */
async function onnxRuntime(): Promise<readonly Check[]> {
  const checks: Check[] = [];
  for (const provider of executionProviders) checks.push(await providerCheck(provider));
  return checks;
}

async function providerCheck(provider: ExecutionProvider): Promise<Check> {
  const name = `ONNX Runtime: ${provider}`;
  try {
    const graph = new Graph("doctor");
    graph.output("y", relu(graph.input("x", "float32", [2, 3])));
    const session = await openSession(graph, { provider, signal: AbortSignal.timeout(30_000) });
    try {
      const { y } = await session.run({ x: { dtype: "float32", dims: [2, 3], data: Float32Array.of(-1, 2, -3, 4, -5, 6) } });
      const right = [0, 2, 0, 4, 0, 6].every((value, index) => y!.data[index] === value);
      return { name, ok: right, detail: right ? "runs" : "runs, with wrong results" };
    } finally {
      await session.dispose();
    }
  } catch (error) {
    const message = error instanceof Error ? error.message : String(error);
    return {
      name,
      ok: false,
      detail: message
        .replace(/^.*ONNX Runtime says: /s, "")
        .split("\n")[0]!
        .slice(0, 100),
    };
  }
}

function nodeCheck(): Check {
  const [major, minor] = process.versions.node.split(".").map(Number) as [number, number];
  const ok = major > 20 || (major === 20 && minor >= 19);
  return { name: "Node", ok, detail: ok ? process.versions.node : `${process.versions.node}; 20.19 or newer is needed` };
}

async function instructionSets(): Promise<string[]> {
  const known = [
    "sse4_2",
    "avx",
    "avx2",
    "f16c",
    "fma",
    "avx512f",
    "avx512_vnni",
    "avx_vnni",
    "avx512_bf16",
    "amx_bf16",
    "amx_int8",
    "asimd",
    "asimddp",
    "bf16",
    "i8mm",
    "sve",
  ];
  let flags: string[] = [];
  if (platform() === "linux") {
    const text = await readFile("/proc/cpuinfo", "utf8").catch(() => "");
    flags = (/^(?:flags|Features)\s*:\s*(.*)$/m.exec(text)?.[1] ?? "").split(" ");
  } else if (platform() === "darwin") {
    const { stdout } = await promisify(execFile)("sysctl", ["hw.optional", "machdep.cpu.features", "machdep.cpu.leaf7_features"]).catch(() => ({
      stdout: "",
    }));
    flags = stdout
      .toLowerCase()
      .replaceAll(/hw\.optional\.(?:arm\.feat_)?(\w+): 1/g, "$1")
      .split(/\s+/);
  }
  return known.filter((name) => flags.includes(name));
}

async function availableMemory(): Promise<number> {
  const text = platform() === "linux" ? await readFile("/proc/meminfo", "utf8").catch(() => "") : "";
  const kilobytes = /^MemAvailable:\s+(\d+)/m.exec(text)?.[1];
  return kilobytes === undefined ? freemem() : Number(kilobytes) * 1024;
}

async function disk(name: string, folder: string): Promise<{ readonly name: string; readonly folder: string; readonly free: number }> {
  for (let place = folder; ; place = dirname(place)) {
    const found = await statfs(place).catch(() => undefined);
    if (found) return { name, folder, free: found.bavail * found.bsize };
    if (place === dirname(place)) return { name, folder, free: 0 };
  }
}

function whatFits({ available }: { readonly available: number }, disks: readonly { readonly free: number }[]): Check[] {
  const [kept, fetched] = disks.map(({ free }) => free) as [number, number];
  const fit = (name: string, needed: number, there: number, otherwise: string): Check => ({
    name,
    ok: there >= needed,
    detail: `needs ${bytesText(needed)} of ${there === available ? "memory" : "disk"}${there >= needed ? "" : `, ${bytesText(there)} is there: ${otherwise}`}`,
  });
  return [
    fit("a 512 × 640 image in float32", needs.memory, available, "close other programs, or make it smaller"),
    fit("the published weights, fetched from the hub", needs.downloads, fetched, "set HF_HOME to a folder elsewhere"),
    fit(
      "the optimised generation network, kept for quick starts",
      needs.keptGraph,
      kept,
      "set REFADGEN_CACHE to a folder elsewhere; without room it is done without",
    ),
  ];
}

function mark({ name, ok, detail }: Check): string {
  return `${name.padEnd(13)} ${ok ? "" : "NOT OK: "}${detail}`;
}
