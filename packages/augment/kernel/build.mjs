// Compiles kernel/render.ts with kernel/render/ and writes it, as text, to src/render/kernel-binary.ts: node kernel/build.mjs
import { readFile, writeFile } from "node:fs/promises";
import { fileURLToPath } from "node:url";
import asc from "assemblyscript/asc";

const target = new URL("../src/render/kernel-binary.ts", import.meta.url);

export async function compileKernel() {
  let binary;
  const { error, stderr } = await asc.main(
    ["render.ts", "--outFile", "render.wasm", "--optimizeLevel", "3", "--runtime", "stub", "--enable", "simd", "--noAssert", "--importMemory"],
    {
      readFile: (name) => readFile(new URL(name, import.meta.url), "utf8").catch(() => null),
      writeFile: (name, contents) => {
        if (name === "render.wasm") binary = contents;
      },
      listFiles: () => [],
    },
  );
  if (error) throw new Error(`${error.message}\n${stderr}`);
  return Buffer.from(binary);
}

if (process.argv[1] === fileURLToPath(import.meta.url)) {
  const text = (await compileKernel()).toString("base64");
  await writeFile(
    target,
    `/** kernel/render.ts as WebAssembly, base64; written by kernel/build.mjs. */\nexport const kernelBinary: string =\n  "${text}";\n`,
  );
  console.log(`${text.length} characters`);
}
