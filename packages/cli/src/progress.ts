import type { WriteStream } from "node:tty";
import type { DownloadProgress } from "@refadgen/hub";
import type { GenerateEvent, LoadProgress } from "@refadgen/pipeline";
import type { Job } from "./prompts.js";

/** What happens to be told to a person or a program. */
export interface Reporter {
  job(index: number, count: number, job: Job): void;
  loading(progress: LoadProgress): void;
  /** Files are being fetched. */
  download(progress: DownloadProgress): void;
  event(event: GenerateEvent): void;
  /** An image has been written, or was there already. */
  file(path: string, status: "written" | "skipped"): void;
  end(): void;
}

export interface ReporterOptions {
  readonly json: boolean;
  readonly quiet: boolean;
  readonly stdout: Pick<WriteStream, "write">;
  readonly stderr: Pick<WriteStream, "write"> & { readonly isTTY?: boolean; readonly columns?: number };
}

const silent: Reporter = { job() {}, loading() {}, download() {}, event() {}, file() {}, end() {} };

/** JSON lines for programs, a line redrawn for terminals, plain lines for logs; paths of images go to standard output. */
export function createReporter(options: ReporterOptions): Reporter {
  if (options.json) return jsonReporter(options.stdout);
  const paths: Reporter = {
    ...silent,
    file: (path, status) => void options.stdout.write(`${path}${status === "skipped" ? " (there already)" : ""}\n`),
  };
  if (options.quiet) return paths;
  const progress = options.stderr.isTTY ? terminalReporter(options.stderr) : plainReporter(options.stderr);
  return {
    ...progress,
    file: (path, status) => {
      progress.end();
      paths.file(path, status);
    },
  };
}

function jsonReporter(stdout: ReporterOptions["stdout"]): Reporter {
  const print = (value: object) =>
    void stdout.write(`${JSON.stringify(value, (_, item: unknown) => (typeof item === "bigint" ? String(item) : item))}\n`);
  return {
    job: (index, count, job) => print({ type: "job", index, count, ...job }),
    loading: (progress) => print({ type: "loading", ...progress }),
    download: (progress) => print({ type: "download", ...progress }),
    event: (event) => {
      if (event.type === "image")
        print({ type: "image", index: event.index, width: event.image.width, height: event.image.height, seed: event.seed });
      else {
        const { preview: _, ...plain } = event as GenerateEvent & { preview?: unknown };
        print(plain);
      }
    },
    file: (path, status) => print({ type: "file", path, status }),
    end() {},
  };
}

function plainReporter(stderr: ReporterOptions["stderr"]): Reporter {
  const print = (line: string) => void stderr.write(`${line}\n`);
  let [told, fetching, fetchedTenth] = [0, "", 0];
  return {
    ...silent,
    job: (index, count, { prompt }) => print(`[${index + 1}/${count}] ${prompt}`),
    loading: ({ component, done, total }) => {
      if (done === total) print(`${component}: ${gigabytes(total)} of weights widened into the cache`);
    },
    download: ({ file, done, total }) => {
      const tenth = total === undefined ? 0 : Math.floor((done * 10) / Math.max(1, total));
      if (file !== fetching || tenth > fetchedTenth) print(`fetching ${file}: ${downloadText(done, total)}`);
      fetching = file;
      fetchedTenth = Math.max(fetchedTenth, tenth);
    },
    event: (event) => {
      if (event.type === "warning") print(`warning: ${event.message}`);
      if (event.type === "stage" && event.status === "end") print(`${event.stage}: ${event.seconds!.toFixed(1)} s`);
      if (event.type === "step") {
        const tenth = Math.floor((event.step * 10) / event.steps);
        if (event.step === 1) told = 0;
        if (tenth > told || event.step === 1) print(stepLine(event));
        told = tenth;
      }
    },
  };
}

function terminalReporter(stderr: ReporterOptions["stderr"]): Reporter {
  let drawn = false;
  const width = () => (stderr.columns ?? 80) - 1;
  const draw = (line: string) => {
    stderr.write(`\r\u001B[K${line.slice(0, width())}`);
    drawn = true;
  };
  const end = () => {
    if (drawn) stderr.write("\r\u001B[K");
    drawn = false;
  };
  const print = (line: string) => {
    end();
    stderr.write(`${line}\n`);
  };
  return {
    job: (index, count, { prompt }) => print(`[${index + 1}/${count}] ${prompt}`),
    loading: ({ component, done, total }) => draw(`${bar(done / total)} ${component}: widening weights, ${gigabytes(done)} of ${gigabytes(total)}`),
    download: ({ file, done, total }) =>
      draw(`${total === undefined ? "" : `${bar(Math.min(1, done / Math.max(1, total)))} `}fetching ${file}, ${downloadText(done, total)}`),
    event: (event) => {
      if (event.type === "warning") print(`warning: ${event.message}`);
      if (event.type === "stage" && event.status === "start") draw(`${event.stage} …`);
      if (event.type === "stage" && event.status === "end") print(`  ${event.stage.padEnd(10)} ${event.seconds!.toFixed(1)} s`);
      if (event.type === "step") draw(`${bar(event.step / event.steps)} ${stepLine(event)}`);
    },
    file() {},
    end,
  };
}

function stepLine({ image, images, step, steps, seconds }: Extract<GenerateEvent, { type: "step" }>): string {
  const left = (steps - step + (images - image - 1) * steps) * seconds;
  return `${images > 1 ? `image ${image + 1} of ${images}, ` : ""}step ${step} of ${steps}, ${seconds.toFixed(1)} s each, ${duration(left)} left`;
}

function bar(share: number): string {
  const full = Math.round(share * 20);
  return `${"█".repeat(full)}${"░".repeat(20 - full)}`;
}

function duration(seconds: number): string {
  return seconds < 90 ? `${Math.round(seconds)} s` : `${Math.round(seconds / 60)} min`;
}

function downloadText(done: number, total: number | undefined): string {
  return total === undefined ? gigabytes(done) : `${gigabytes(done)} of ${gigabytes(total)}`;
}

function gigabytes(bytes: number): string {
  return bytes < 1e8 ? `${(bytes / 1e6).toFixed(1)} MB` : `${(bytes / 1e9).toFixed(2)} GB`;
}
