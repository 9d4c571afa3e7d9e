import { existsSync, mkdirSync, readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { root } from "./pnpm.mjs";
import { step } from "./steps.mjs";

/** The packages that are published, in the order of their names. @returns {{folder: string, manifest: Record<string, any>}[]} */
export function publicPackages() {
  return readdirSync(join(root, "packages"))
    .sort()
    .map((name) => join(root, "packages", name))
    .filter((folder) => existsSync(join(folder, "package.json")))
    .map((folder) => ({ folder, manifest: JSON.parse(readFileSync(join(folder, "package.json"), "utf8")) }))
    .filter(({ manifest }) => manifest.private !== true);
}

/** A package and those of this workspace that it depends on. @returns {string[]} names */
export function closureOf(name) {
  const manifests = new Map(publicPackages().map(({ manifest }) => [manifest.name, manifest]));
  const found = new Set();
  const add = (each) => {
    if (found.has(each) || !manifests.has(each)) return;
    found.add(each);
    Object.keys(manifests.get(each).dependencies ?? {}).forEach(add);
  };
  add(name);
  return [...found];
}

/** Packs the compiled packages as they would be published. @returns {Promise<Map<string, string>>} package name → tarball */
export async function packAll(pnpm, destination) {
  mkdirSync(destination, { recursive: true });
  const tarballs = new Map();
  for (const { folder, manifest } of publicPackages()) {
    const tarball = join(destination, `${manifest.name.replace("@", "").replace("/", "-")}.tgz`);
    await step(`Pack ${manifest.name}`, pnpm, ["pack", "--out", tarball], { quiet: true, cwd: folder });
    tarballs.set(manifest.name, tarball);
  }
  return tarballs;
}
