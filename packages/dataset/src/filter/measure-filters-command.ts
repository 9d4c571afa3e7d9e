// node dist/filter/measure-filters-command.js [--count 100] [--seed measure] [--size 512x640]: prints how well the default thresholds do on AdProd-Mini.
import { parseArgs } from "node:util";
import { measureFilters, measuresMarkdown } from "./measure-filters.js";

const { values } = parseArgs({
  options: { count: { type: "string", default: "100" }, seed: { type: "string", default: "measure" }, size: { type: "string", default: "512x640" } },
});
const [width, height] = values.size.split("x").map(Number);
const measures = await measureFilters({
  count: Number(values.count),
  seed: values.seed,
  width: width ?? Number.NaN,
  height: height ?? Number.NaN,
  onProgress: ({ done, total }) => process.stderr.write(`\r${done} of ${total} `),
});
process.stderr.write("\n");
process.stdout.write(measuresMarkdown(measures));
