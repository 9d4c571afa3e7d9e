import { stat } from "node:fs/promises";
import { ArgumentError } from "@refadgen/errors";
import { readSplats, type SplatFormat } from "../splats/read.js";
import { saveSplats, splatFormatOfName, type WriteSplatsOptions, writableSplatFormats } from "../splats/write.js";
import { numberOption, parseArguments, type Subcommand } from "./subcommand.js";

export interface ConvertSplatsOptions {
  /** Default: told from the content. */
  readonly from?: SplatFormat;
  /** Default: what the name of the output asks for. */
  readonly to?: WriteSplatsOptions;
  /** As in `readSplats`. */
  readonly maxSplats?: number;
}

/**
 * Converts a file of splats from any format that is read to any that is written; the output appears whole or not at all.
 *
 * @throws SplatFileError, ArgumentError as `readSplats` and `saveSplats` do.
 */
export async function convertSplats(
  input: string,
  output: string,
  options: ConvertSplatsOptions = {},
): Promise<{ readonly count: number; readonly bytes: number }> {
  if (!options.to && !splatFormatOfName(output)) {
    throw new ArgumentError(`convertSplats: expected an output in .ply, .compressed.ply, .splat or .spz, got ${output}`);
  }
  const scene = await readSplats(input, {
    ...(options.from && { format: options.from }),
    ...(options.maxSplats !== undefined && { maxSplats: options.maxSplats }),
  });
  await saveSplats(output, scene, options.to);
  return { count: scene.count, bytes: (await stat(output)).size };
}

const usage = `Usage: refadgen-augment convert IN OUT [options]

Converts a file of Gaussian splats. Read: .ply (INRIA, PlayCanvas compressed), .splat, .ksplat, .spz (2 to 4), .sog (2), known by their content.
Written: .ply, .compressed.ply, .splat, .spz, by the name of OUT.

  --from FORMAT      ply, splat, ksplat, spz or sog (default: told from the content)
  --to FORMAT        ply, compressed-ply, splat or spz (default: by the name of OUT)
  --spz-version N    3 or 4 (default: 4; older viewers read 3 only)
  --max-splats N     refuse larger files (default: 16777216)
`;

export const convertCommand: Subcommand = {
  name: "convert",
  summary: "convert a file of Gaussian splats",
  usage,
  async run(args, { stdout }) {
    const parsed = parseArguments("convert", args, {
      from: { type: "string" },
      to: { type: "string" },
      "spz-version": { type: "string" },
      "max-splats": { type: "string" },
    });
    const [input, output, ...more] = parsed.positionals;
    if (input === undefined || output === undefined || more.length > 0) {
      throw new ArgumentError(`convert: expected IN and OUT, got ${parsed.positionals.length} names`);
    }
    const format = parsed.texts.get("to") ?? splatFormatOfName(output);
    if (format === undefined || !(writableSplatFormats as readonly string[]).includes(format)) {
      throw new ArgumentError(`convert: expected an output of ${writableSplatFormats.join(", ")}, got ${parsed.texts.get("to") ?? output}`);
    }
    const version = numberOption("convert", parsed, "spz-version");
    if (version !== undefined && (format !== "spz" || (version !== 3 && version !== 4))) {
      throw new ArgumentError(`convert: expected --spz-version 3 or 4 with .spz, got ${version} with ${format}`);
    }
    const maxSplats = numberOption("convert", parsed, "max-splats");
    const from = parsed.texts.get("from");
    const { count, bytes } = await convertSplats(input, output, {
      to: (format === "spz" ? { format, ...(version && { version }) } : { format }) as WriteSplatsOptions,
      ...(from !== undefined && { from: from as SplatFormat }),
      ...(maxSplats !== undefined && { maxSplats }),
    });
    stdout.write(`${output}: ${count} splats, ${bytes} bytes\n`);
  },
};
