import { access, constants, mkdir, statfs } from "node:fs/promises";
import { availableParallelism, cpus, freemem, totalmem } from "node:os";
import { dirname } from "node:path";
import { cacheFolder, executionProviders, Graph, openSession, processorFlags, relu } from "@refadgen/graph";
import { bytesText } from "../amounts.js";

/** One thing that was looked at. */
export interface Finding {
  readonly name: string;
  /** `fail`: the main job will not work; `warn`: it will, but with less; `info`: neither here nor there. */
  readonly status: "ok" | "warn" | "fail" | "info";
  readonly detail: string;
  /** What to do about it. */
  readonly next?: string;
}

/** Looked at one after another, as some load libraries. */
export const checks: readonly (() => Promise<Finding[]>)[] = [node, processor, memory, cacheSpace, pictures, providers, openvino, tensorflow, hub];

async function node(): Promise<Finding[]> {
  const [major, minor] = process.versions.node.split(".").map(Number) as [number, number];
  const supported = major > 20 || (major === 20 && minor >= 19);
  const detail = `${process.versions.node} on ${process.platform} ${process.arch}`;
  return [{ name: "Node", status: supported ? "ok" : "fail", detail, ...(!supported && { next: "install Node 20.19 or later" }) }];
}

/** Instructions that matter, by the names of /proc/cpuinfo. */
const instructions: Readonly<Record<string, string>> = {
  avx2: "AVX2",
  fma: "FMA",
  avx512f: "AVX-512",
  avx512_vnni: "VNNI",
  avx_vnni: "VNNI",
  avx512_bf16: "bf16",
  amx_bf16: "AMX bf16",
  amx_int8: "AMX int8",
  asimd: "NEON",
  asimddp: "dot product",
  bf16: "bf16",
  i8mm: "int8 matrices",
};

async function processor(): Promise<Finding[]> {
  const flags = await processorFlags();
  const known = [...new Set(Object.entries(instructions).flatMap(([flag, name]) => (flags.has(flag) ? [name] : [])))];
  const slow = process.arch === "x64" && flags.size > 0 && !flags.has("avx2");
  const model = cpus()[0]?.model.trim() ?? "unknown";
  return [
    {
      name: "Processor",
      status: slow ? "warn" : "ok",
      detail: `${model}, ${availableParallelism()} threads${known.length > 0 ? `; ${known.join(", ")}` : ""}`,
      ...(slow && { next: "without AVX2 networks run several times slower; use another machine" }),
    },
  ];
}

/** What the main job takes at most at its published size, 512 × 640 and 768 × 960, in bytes (measured; bench/LOG.md). */
const sizes: readonly { readonly name: string; readonly memory: number; readonly kept: number }[] = [
  { name: "512 × 640", memory: 5.5e9, kept: 4.5e9 },
  { name: "768 × 960", memory: 9e9, kept: 4.5e9 },
];

async function memory(): Promise<Finding[]> {
  const limit = process.constrainedMemory();
  const total = limit > 0 && limit < totalmem() ? limit : totalmem();
  const fitting = sizes.filter((size) => size.memory < total * 0.9).map(({ name }) => name);
  const detail = `${bytesText(total)}, ${bytesText(freemem())} free${limit > 0 && limit < totalmem() ? " (limited by the container)" : ""}; `;
  return [
    fitting.length > 0
      ? {
          name: "Memory",
          status: freemem() < sizes[0]!.memory ? "warn" : "ok",
          detail: `${detail}full-size networks fit at ${fitting.join(" and ")}`,
        }
      : {
          name: "Memory",
          status: "warn",
          detail: `${detail}full-size networks need ${bytesText(sizes[0]!.memory)} at ${sizes[0]!.name}`,
          next: "use a machine with 8 GB or more, or smaller width and height",
        },
  ];
}

async function cacheSpace(): Promise<Finding[]> {
  const folder = cacheFolder();
  try {
    await mkdir(folder, { recursive: true });
    await access(folder, constants.W_OK);
  } catch (error) {
    return [
      { name: "Cache", status: "fail", detail: `${folder} cannot be written: ${reason(error)}`, next: "set REFADGEN_CACHE to a folder that can" },
    ];
  }
  const { bavail, bsize } = await statfs(dirname(folder));
  const free = bavail * bsize;
  const enough = free > sizes[0]!.kept * 1.2;
  return [
    {
      name: "Cache",
      status: enough ? "ok" : "warn",
      detail: `${folder}, ${bytesText(free)} free`,
      ...(!enough && {
        next: `an optimised U-Net takes ${bytesText(sizes[0]!.kept)} for each image size; without room it runs about a quarter slower`,
      }),
    },
  ];
}

async function pictures(): Promise<Finding[]> {
  try {
    const { default: sharp } = await import("sharp");
    return [{ name: "Pictures", status: "ok", detail: `sharp with libvips ${sharp.versions.vips}` }];
  } catch (error) {
    return [
      { name: "Pictures", status: "fail", detail: `sharp cannot be loaded: ${reason(error)}`, next: "npm install again on this very platform" },
    ];
  }
}

/** Every provider is asked for a sum, since one that is listed may still not load. */
async function providers(): Promise<Finding[]> {
  const findings: Finding[] = [];
  for (const provider of executionProviders) {
    const graph = new Graph("doctor");
    graph.output("y", relu(graph.input("x", "float32", [1, 4])));
    try {
      const session = await openSession(graph, { provider });
      try {
        await session.run({ x: { dtype: "float32", dims: [1, 4], data: Float32Array.of(-1, 0, 1, 2) } });
      } finally {
        await session.dispose();
      }
      findings.push({ name: `ONNX Runtime, ${provider}`, status: "ok", detail: "runs" });
    } catch (error) {
      const [first = ""] = reason(error).split("\n");
      const short = first.replace(/^.*ONNX Runtime says: /, "");
      findings.push({
        name: `ONNX Runtime, ${provider}`,
        status: provider === "cpu" ? "fail" : "info",
        detail: `not here: ${short.length > 110 ? `${short.slice(0, 109)}…` : short}`,
      });
    }
  }
  return findings;
}

async function openvino(): Promise<Finding[]> {
  try {
    const { loadOpenVino } = await import("@refadgen/graph/openvino");
    const { version } = await loadOpenVino();
    return [{ name: "OpenVINO", status: "ok", detail: version }];
  } catch (error) {
    return [{ name: "OpenVINO", status: "info", detail: "not here (optional)", next: `${reason(error).split("\n")[0]!.slice(0, 160)}` }];
  }
}

async function tensorflow(): Promise<Finding[]> {
  const names = ["@tensorflow/tfjs-node-gpu", "@tensorflow/tfjs-node", "@tensorflow/tfjs-backend-wasm", "@tensorflow/tfjs-backend-cpu"];
  const found: string[] = [];
  for (const name of names) if (await isInstalled(name)) found.push(name);
  return [{ name: "TensorFlow.js", status: "info", detail: found.length > 0 ? `installed: ${found.join(", ")}` : "no backend installed (optional)" }];
}

async function isInstalled(name: string): Promise<boolean> {
  try {
    import.meta.resolve(name);
    return true;
  } catch {
    return false;
  }
}

async function hub(): Promise<Finding[]> {
  const { HF_TOKEN, HF_ENDPOINT, HF_HUB_OFFLINE } = process.env;
  const parts = [
    HF_TOKEN ? "HF_TOKEN is set" : "no HF_TOKEN",
    ...(HF_ENDPOINT ? [`HF_ENDPOINT ${HF_ENDPOINT}`] : []),
    ...(HF_HUB_OFFLINE ? [`HF_HUB_OFFLINE ${HF_HUB_OFFLINE}`] : []),
  ];
  return [{ name: "Hub", status: "info", detail: parts.join(", ") }];
}

function reason(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}
