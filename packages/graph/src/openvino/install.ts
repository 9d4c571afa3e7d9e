import { execFile } from "node:child_process";
import { createHash } from "node:crypto";
import { createReadStream } from "node:fs";
import { mkdir, mkdtemp, readdir, rename, rm, stat, writeFile } from "node:fs/promises";
import { arch, platform, tmpdir } from "node:os";
import { basename, join } from "node:path";
import { promisify } from "node:util";
import { SessionError } from "../session/error.js";
import { removeLeftovers, temporaryName } from "../weights/cache-folder.js";
import { WeightFile } from "../weights/file.js";
import { locateRecord, readRecord, readZipDirectory } from "../weights/zip.js";
import { installed, openVinoShelf } from "./library.js";

/** The version that this package is tested with. */
export const openVinoVersion = "2026.4.1";

interface Wheel {
  /** pip's name of the platform. */
  readonly platform: string;
  readonly sha256: string;
}

/** Wheels of that version for CPython 3.11; of a wheel only libraries are used, so which Python is there does not matter. */
const wheels: Readonly<Record<string, Wheel>> = {
  linux_x64: { platform: "manylinux_2_28_x86_64", sha256: "2d22b1da03f7caf74df30e9f6417d0ab2f637e4a38e08e1dcd294d2c37407aaf" },
  linux_arm64: { platform: "manylinux_2_35_aarch64", sha256: "bea1eb3733c34ef331adc945da0ccda5937865031139073663be84c517ffda22" },
  darwin_arm64: { platform: "macosx_11_0_arm64", sha256: "d3740853691ae4a9003bc3417a4625d848e2cc3251af4b815c59199b38be252a" },
  win32_x64: { platform: "win_amd64", sha256: "bfddae6d6d3ad240157b946f180c33d0ddfaaae7487995d929a4e6b4bc12b283" },
};

/** What the driver needs of a wheel: the core, its C interface, the CPU plugin, the readers of ONNX and of kept graphs, and threads. */
const needed =
  /^openvino\/libs\/(lib)?(openvino|openvino_c|openvino_onnx_frontend|openvino_ir_frontend|openvino_(intel|arm)_cpu_plugin|tbb|tbb12|tbbbind_2_5|tbbmalloc|hwloc)(\.so(\.\d+)*|(\.\d+)*\.dylib|\.dll)$/;
const licence = /^openvino-[^/]+\.dist-info\/.*(licen[cs]e|third-party|NOTICE)[^/]*$/i;
const largestLibrary = 512 * 2 ** 20;

export interface InstallOptions {
  /** A wheel on disk; default: the pinned version is fetched with `pip download`. */
  readonly wheel?: string;
  /** What the wheel's sha256 must be; default: that of the pinned version for this platform. */
  readonly sha256?: string;
  readonly signal?: AbortSignal;
  /** Words for the user: what is being done. */
  readonly onProgress?: (message: string) => void;
}

/**
 * Puts OpenVINO's libraries into the cache, where `findOpenVino` finds them. Nothing is installed into Python. The folder appears whole or not
 * at all; one that is there is left alone.
 *
 * @returns the folder of the libraries
 * @throws SessionError `runtime-missing` there is no wheel for this platform, no pip, or it failed; `runtime-unusable` the file is not the wheel
 * that it should be
 */
export async function installOpenVino(options: InstallOptions = {}): Promise<string> {
  const { onProgress = () => {}, signal } = options;
  const machine = `${platform()}_${arch()}`;
  const pinned = wheels[machine];
  if (!pinned && (options.wheel === undefined || options.sha256 === undefined)) {
    throw new SessionError(
      "runtime-missing",
      `OpenVINO: no wheel is known for ${platform()} ${arch()}; give a wheel file with its sha256, or set REFADGEN_OPENVINO to an OpenVINO that is installed`,
    );
  }
  const expected = (options.sha256 ?? pinned!.sha256).toLowerCase();
  if (!/^[0-9a-f]{64}$/.test(expected))
    throw new SessionError("runtime-unusable", `installOpenVino: expected a sha256 of 64 hexadecimal digits, got "${expected}"`);
  const shelf = openVinoShelf();
  if (options.wheel === undefined && options.sha256 === undefined) {
    const there = (await installed()).find((folder) => basename(folder) === `${openVinoVersion}-${machine}`);
    if (there) return there;
  }
  await mkdir(shelf, { recursive: true });
  await removeLeftovers(shelf);
  const downloads = options.wheel === undefined ? await mkdtemp(join(tmpdir(), "refadgen-openvino-")) : undefined;
  try {
    const wheel = options.wheel ?? (await download(downloads!, pinned!, onProgress, signal));
    onProgress(`checking ${basename(wheel)}`);
    await expectDigest(wheel, expected, { pinned: options.sha256 === undefined, signal });
    return await unpack(wheel, { shelf, machine, onProgress, signal });
  } finally {
    if (downloads !== undefined) await rm(downloads, { recursive: true, force: true });
  }
}

async function download(
  folder: string,
  { platform: tag }: Wheel,
  onProgress: (message: string) => void,
  signal: AbortSignal | undefined,
): Promise<string> {
  const args = ["download", "--no-deps", "--only-binary=:all:", "--implementation", "cp", "--python-version", "3.11", "--abi", "cp311"];
  const commands = [["python3", "-m", "pip"], ["python", "-m", "pip"], ["py", "-m", "pip"], ["pip3"], ["pip"]] as const;
  const failures: string[] = [];
  for (const [command, ...before] of commands) {
    onProgress(`fetching openvino ${openVinoVersion} with ${[command, ...before].join(" ")} download`);
    try {
      const all = [...before, ...args, "--platform", tag, "--dest", folder, `openvino==${openVinoVersion}`];
      await promisify(execFile)(command, all, { maxBuffer: 2 ** 26, ...(signal && { signal }) });
      const name = (await readdir(folder)).find((file) => file.endsWith(".whl"));
      if (name !== undefined) return join(folder, name);
      failures.push(`${command}: no wheel came`);
    } catch (error) {
      signal?.throwIfAborted();
      const said = error instanceof Error ? String(Reflect.get(error, "stderr") ?? "").trim() || error.message : String(error);
      failures.push(`${command}: ${said.split("\n").slice(-2).join(" ").slice(-300)}`);
    }
  }
  throw new SessionError(
    "runtime-missing",
    `OpenVINO ${openVinoVersion} could not be fetched with pip (${[...new Set(failures)].join("; ")}); fetch the wheel openvino ${openVinoVersion} for cp311 ${tag} elsewhere and run: refadgen runtime install openvino WHEEL`,
  );
}

async function expectDigest(
  wheel: string,
  expected: string,
  { pinned, signal }: { readonly pinned: boolean; readonly signal: AbortSignal | undefined },
): Promise<void> {
  const info = await stat(wheel).catch(() => undefined);
  if (!info?.isFile()) throw new SessionError("runtime-unusable", `installOpenVino: expected a wheel file, nothing of the kind is at ${wheel}`);
  const hash = createHash("sha256");
  for await (const piece of createReadStream(wheel, signal ? { signal } : {})) hash.update(piece as Buffer);
  const actual = hash.digest("hex");
  if (actual === expected) return;
  const what = pinned
    ? `it is not openvino ${openVinoVersion} for ${platform()} ${arch()} (cp311), whose sha256 is ${expected}; if you trust this one, say so with its sha256`
    : `${expected} was expected`;
  throw new SessionError("runtime-unusable", `installOpenVino: the sha256 of ${wheel} is ${actual}: ${what}`);
}

async function unpack(
  path: string,
  {
    shelf,
    machine,
    onProgress,
    signal,
  }: { readonly shelf: string; readonly machine: string; readonly onProgress: (message: string) => void; readonly signal: AbortSignal | undefined },
): Promise<string> {
  const file = await WeightFile.open(path);
  try {
    const entries = [...(await readZipDirectory(file)).values()];
    const version = entries.map(({ name }) => /^openvino-(\d+\.\d+\.\d+)\.dist-info\//.exec(name)?.[1]).find((found) => found !== undefined);
    const wanted = entries.filter(({ name }) => needed.test(name) || licence.test(name));
    const libraries = wanted.filter(({ name }) => needed.test(name)).map(({ name }) => basename(name));
    if (version === undefined || !libraries.some((name) => /openvino_c[.]/.test(name)) || !libraries.some((name) => /cpu_plugin/.test(name)))
      throw new SessionError("runtime-unusable", `installOpenVino: ${path} holds no OpenVINO libraries`);
    const folder = join(shelf, `${version}-${machine}`);
    const draft = temporaryName(folder);
    await mkdir(draft);
    try {
      for (const entry of wanted) {
        signal?.throwIfAborted();
        onProgress(`unpacking ${basename(entry.name)}`);
        const bytes = await readRecord(file, await locateRecord(file, entry), { maximum: largestLibrary });
        await writeFile(join(draft, basename(entry.name)), bytes, { mode: 0o755, flag: "w" });
      }
      const before = temporaryName(folder);
      const replaced = await rename(folder, before).then(
        () => true,
        () => false,
      );
      await rename(draft, folder);
      if (replaced) await rm(before, { recursive: true, force: true });
    } finally {
      await rm(draft, { recursive: true, force: true });
    }
    return folder;
  } finally {
    await file.close();
  }
}
