import { type ChildProcessWithoutNullStreams, spawn } from "node:child_process";
import { once } from "node:events";
import { existsSync } from "node:fs";
import { join } from "node:path";
import { createInterface } from "node:readline";
import { fileURLToPath } from "node:url";
import { benchFolder } from "./checkpoint.js";
import type { Contestant } from "./contestant.js";
import type { BenchSettings } from "./settings.js";

const scripts = fileURLToPath(new URL("../peers/", import.meta.url));

/** Another program that does the step; it starts when it is opened. */
export interface PeerKind {
  readonly name: string;
  readonly script: string;
  readonly dtype: string;
  /** The least memory that it should have for itself, in units of the U-Net's float32 weights. */
  readonly weightsInMemory: number;
}

export const peerKinds: readonly PeerKind[] = [
  { name: "diffusers fp32", script: "torch_step.py", dtype: "fp32", weightsInMemory: 1 },
  { name: "diffusers bf16", script: "torch_step.py", dtype: "bf16", weightsInMemory: 0.5 },
  { name: "OpenVINO fp32", script: "openvino_step.py", dtype: "f32", weightsInMemory: 1 },
  { name: "OpenVINO bf16", script: "openvino_step.py", dtype: "bf16", weightsInMemory: 1 },
];

export interface Peer extends Contestant {
  readonly versions: string;
  readonly peakBytes: () => number;
}

/**
 * Starts a peer, waits until it has loaded and has done one step, and has it do another at every call.
 *
 * @throws Error with what it wrote to stderr when it ends early
 */
export async function openPeer(
  kind: PeerKind,
  { python, settings, threads }: { readonly python: string; readonly settings: BenchSettings; readonly threads: number },
): Promise<Peer> {
  const model = join(benchFolder(), settings.name, `openvino-${settings.height}x${settings.width}`, "model.xml");
  const common = { dtype: kind.dtype, unet: settings.unet, height: settings.height / 8, width: settings.width / 8, threads, model };
  if (kind.script === "openvino_step.py" && !existsSync(model)) {
    const converter = new Conversation(kind.name, python, [join(scripts, kind.script), JSON.stringify({ ...common, convert: true })]);
    await converter.next();
    await converter.end();
  }
  const conversation = new Conversation(kind.name, python, [join(scripts, kind.script), JSON.stringify(common)]);
  const { versions } = await conversation.next();
  let peakBytes = 0;
  return {
    name: kind.name,
    versions: String(versions),
    peakBytes: () => peakBytes,
    step: async () => {
      conversation.ask();
      const reply = await conversation.next();
      peakBytes = Number(reply.peakBytes);
      return Number(reply.seconds);
    },
    dispose: () => conversation.end(),
  };
}

/** A child process that answers lines with lines of JSON. */
export class Conversation {
  readonly #name: string;
  readonly #child: ChildProcessWithoutNullStreams;
  readonly #lines: AsyncIterator<string>;
  readonly #exit: Promise<unknown>;
  #complaints = "";

  constructor(name: string, command: string, args: readonly string[]) {
    this.#name = name;
    this.#child = spawn(command, args);
    this.#child.stdin.on("error", () => {}); // it has ended; `next` says why
    this.#child.stderr.on("data", (text: Buffer) => {
      this.#complaints = (this.#complaints + text).slice(-4000);
    });
    this.#exit = once(this.#child, "close").catch((error: unknown) => {
      this.#complaints += String(error);
    });
    this.#lines = createInterface({ input: this.#child.stdout })[Symbol.asyncIterator]();
  }

  ask(): void {
    this.#child.stdin.write("step\n");
  }

  async next(): Promise<Readonly<Record<string, unknown>>> {
    for (;;) {
      const { done, value } = await this.#lines.next();
      if (done) {
        await this.#exit;
        throw new Error(`${this.#name} ended before it answered:\n${this.#complaints.trim()}`);
      }
      if (value.startsWith("{")) return JSON.parse(value);
    }
  }

  async end(): Promise<void> {
    this.#child.stdin.end();
    await this.#exit;
  }
}
