/**
 * What a user of the published packages meets: every public package is packed, the tarballs are installed by npm into an
 * empty project outside the workspace, every entry is imported, `scripts/consumer/main.ts` is type-checked and run, and each
 * command answers `--help`. Then what is promised to work without ONNX Runtime is run where it is not there, and `@refadgen/metrics` is
 * installed alone, as a CI job would, and its command has to gate.
 */
import { cpSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { closureOf, packAll, publicPackages } from "./packages.mjs";
import { npm, providePnpm, root } from "./pnpm.mjs";
import { installAndBuild, step } from "./steps.mjs";

const { devDependencies } = readJson(join(root, "package.json"));
// Optional peers: a user of these entries installs them.
const { devDependencies: tfjs } = readJson(join(root, "packages", "afm", "package.json"));
const project = mkdtempSync(join(tmpdir(), "refadgen-consumer-"));
process.on("exit", () => rmSync(project, { recursive: true, force: true }));

await installAndBuild();
const tarballs = await packAll(await providePnpm(), join(project, "tarballs"));
cpSync(join(root, "scripts", "consumer"), project, { recursive: true });
cpSync(join(root, "assets", "micro"), join(project, "micro"), { recursive: true });
process.env.REFADGEN_CACHE = join(project, "cache");
writeFileSync(join(project, "entries.ts"), importEveryEntry());
install(project, [...tarballs.keys()], { "@types/node": devDependencies["@types/node"], typescript: devDependencies.typescript }, tfjs);
for (const config of ["tsconfig.json", "tsconfig.tfjs.json"]) {
  await step("Type-check", process.execPath, [join("node_modules", "typescript", "bin", "tsc"), "-p", config], { cwd: project });
}
for (const script of ["entries.js", "main.js"]) await step(`Run ${script}`, process.execPath, [join("out", script)], { cwd: project });
for (const [command, script] of commands()) await step(`Run ${command} --help`, process.execPath, [script, "--help"], { cwd: project });
rmSync(join(project, "node_modules", "onnxruntime-node"), { recursive: true });
await step("Run tfjs.js without onnxruntime-node", process.execPath, [join("out", "tfjs.js")], { cwd: project });

const alone = join(project, "alone");
cpSync(join(root, "scripts", "consumer", "gate"), alone, { recursive: true });
install(alone, closureOf("@refadgen/metrics"));
await step("Gate by @refadgen/metrics alone", process.execPath, ["gate.mjs"], { cwd: alone });
console.log(`The consumer test passed for ${[...tarballs.keys()].join(", ")}.`);

function importEveryEntry() {
  const entries = publicPackages().flatMap(
    ({ manifest }) =>
      Object.entries(manifest.exports ?? {})
        .filter(([, target]) => typeof target === "object")
        .map(([path]) => join(manifest.name, path).replaceAll("\\", "/"))
        .filter((entry) => !entry.endsWith("/tfjs")), // imported by tfjs.ts
  );
  const lines = entries.map((entry, index) => `import * as entry${index} from ${JSON.stringify(entry)};`);
  const checks = entries.map(
    (entry, index) => `if (Object.keys(entry${index}).length === 0) throw new Error(${JSON.stringify(`${entry} exports nothing`)});`,
  );
  return [...lines, "", ...checks, ""].join("\n");
}

function commands() {
  return publicPackages().flatMap(({ manifest }) =>
    Object.entries(manifest.bin ?? {}).map(([command, script]) => [command, join(project, "node_modules", manifest.name, script)]),
  );
}

function readJson(path) {
  return JSON.parse(readFileSync(path, "utf8"));
}

/** Installs tarballs, and what else is named, into an empty project. */
function install(folder, names, devDependencies = {}, others = {}) {
  const manifest = {
    private: true,
    type: "module",
    dependencies: { ...others, ...Object.fromEntries(names.map((name) => [name, `file:${tarballs.get(name)}`])) },
    devDependencies,
    // Packages of this workspace that depend on each other must not be looked for in the registry.
    overrides: Object.fromEntries(names.map((name) => [name, `$${name}`])),
  };
  writeFileSync(join(folder, "package.json"), `${JSON.stringify(manifest, null, 2)}\n`);
  console.log(`Install ${names.length} tarballs into an empty project`);
  const { status } = npm(["install", "--prefix", folder, "--no-audit", "--no-fund", "--loglevel=error"], { cwd: folder, stdio: "inherit" });
  if (status !== 0) process.exit(1);
}
