import { readdir, stat } from "node:fs/promises";
import { arch, platform } from "node:os";
import { dirname, join } from "node:path";
import { SessionError } from "../session/error.js";
import { cacheFolder } from "../weights/cache-folder.js";

/** Files of one OpenVINO, in the order in which they have to be loaded: each needs those before it. */
export interface OpenVinoLibrary {
  readonly folder: string;
  /** Full paths, or plain names that the system's loader looks for. */
  readonly files: readonly string[];
  /** What pointed to it: the option, the variable, the cache or the system. */
  readonly found: string;
}

/** Where `refadgen runtime install openvino` puts versions: one folder each. */
export function openVinoShelf(): string {
  return join(cacheFolder(), "openvino", "runtime");
}

/** How the libraries are called on a platform; wheels number them, system packages may not. */
const names: Readonly<Record<string, { readonly tbb: RegExp; readonly core: RegExp; readonly c: RegExp }>> = {
  linux: { tbb: /^libtbb\.so\.\d+$/, core: /^libopenvino\.so(\.\d+)*$/, c: /^libopenvino_c\.so(\.\d+)*$/ },
  darwin: { tbb: /^libtbb(\.\d+)*\.dylib$/, core: /^libopenvino(\.\d+)*\.dylib$/, c: /^libopenvino_c(\.\d+)*\.dylib$/ },
  win32: { tbb: /^tbb12?\.dll$/, core: /^openvino\.dll$/, c: /^openvino_c\.dll$/ },
};

const installHint = "install it with: refadgen runtime install openvino";

/**
 * Finds OpenVINO's libraries: the folder given, `REFADGEN_OPENVINO`, the newest in the cache, an OpenVINO archive's own variable
 * (`INTEL_OPENVINO_DIR`) and the places that packages use. A place that was named must hold them; the others are looked through in turn.
 *
 * @param folder a folder that holds the libraries, or an OpenVINO archive or Python package that has it inside
 * @throws SessionError `runtime-missing`
 */
export async function findOpenVino(folder?: string): Promise<OpenVinoLibrary> {
  const named = folder ?? process.env.REFADGEN_OPENVINO;
  if (named !== undefined && named !== "") {
    const how = folder === undefined ? "REFADGEN_OPENVINO" : "the option";
    const library = await libraryIn(named, how);
    if (library) return library;
    throw new SessionError(
      "runtime-missing",
      `OpenVINO: ${how} names ${named}, which holds no OpenVINO libraries for ${platform()} ${arch()}; name the folder of libopenvino_c, or ${installHint}`,
    );
  }
  for (const { place, found } of [...(await installed()).map((place) => ({ place, found: "the cache" })), ...systemPlaces()]) {
    const library = await libraryIn(place, found);
    if (library) return library;
  }
  throw new SessionError("runtime-missing", `OpenVINO is not installed; ${installHint}, or set REFADGEN_OPENVINO to the folder of its libraries`);
}

/** Folders of the versions in the cache, newest first. */
export async function installed(): Promise<string[]> {
  const shelf = openVinoShelf();
  const entries = await readdir(shelf, { withFileTypes: true }).catch(() => []);
  return entries
    .filter((entry) => entry.isDirectory() && /^\d+\.\d+\.\d+-/.test(entry.name) && entry.name.endsWith(`-${platform()}_${arch()}`))
    .map(({ name }) => name)
    .sort((a, b) => b.localeCompare(a, "en", { numeric: true }))
    .map((name) => join(shelf, name));
}

function systemPlaces(): { readonly place: string; readonly found: string }[] {
  const archive = process.env.INTEL_OPENVINO_DIR;
  const places =
    platform() === "linux" ? ["/opt/intel/openvino", "/usr/lib/x86_64-linux-gnu", "/usr/lib/aarch64-linux-gnu", "/usr/lib64", "/usr/local/lib"] : [];
  const brew = platform() === "darwin" ? ["/opt/homebrew/lib", "/usr/local/lib"] : [];
  return [
    ...(archive ? [{ place: archive, found: "INTEL_OPENVINO_DIR" }] : []),
    ...[...places, ...brew].map((place) => ({ place, found: "the system" })),
  ];
}

async function libraryIn(place: string, found: string): Promise<OpenVinoLibrary | undefined> {
  const info = await stat(place).catch(() => undefined);
  if (!info) return undefined;
  const top = info.isDirectory() ? place : dirname(place);
  const machine = arch() === "arm64" ? "aarch64" : "intel64";
  // As given, inside a Python package, inside an archive of OpenVINO.
  for (const folder of [
    top,
    join(top, "libs"),
    join(top, "openvino", "libs"),
    join(top, "runtime", "lib", machine),
    join(top, "runtime", "bin", machine, "Release"),
  ]) {
    const library = await libraryAt(folder, found);
    if (library) return library;
  }
  return undefined;
}

async function libraryAt(folder: string, found: string): Promise<OpenVinoLibrary | undefined> {
  const known = names[platform()];
  const files = known ? await readdir(folder).catch(() => []) : [];
  // Of several links to one library, the longest name is the one with its version.
  const pick = (list: readonly string[], pattern: RegExp) => list.filter((name) => pattern.test(name)).sort((a, b) => b.length - a.length)[0];
  const [core, c] = known ? [pick(files, known.core), pick(files, known.c)] : [];
  if (!known || core === undefined || c === undefined) return undefined;
  // An archive keeps its TBB in a folder of its own; a distribution's is found by the system.
  let tbb: string | undefined;
  for (const place of [folder, join(folder, "..", "..", "3rdparty", "tbb", "lib"), join(folder, "..", "..", "..", "3rdparty", "tbb", "lib")]) {
    const name = pick(await readdir(place).catch(() => []), known.tbb);
    if (name !== undefined) {
      tbb = join(place, name);
      break;
    }
  }
  return { folder, found, files: [...(tbb === undefined ? [] : [tbb]), join(folder, core), join(folder, c)] };
}
