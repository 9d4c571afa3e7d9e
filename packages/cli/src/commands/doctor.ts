import type { Command } from "commander";
import { tableText } from "../amounts.js";
import type { CommandContext } from "../command-context.js";
import type { Finding } from "../doctor/checks.js";
import { exitCode } from "../exit-code.js";

const signs: Readonly<Record<Finding["status"], string>> = { ok: "ok", warn: "!", fail: "FAILED", info: "-" };

/** `refadgen doctor`. */
export function doctorCommand(program: Command, { signal, finish }: CommandContext): void {
  program
    .command("doctor")
    .description("What this machine can do: Node, processor, memory, disk, which devices really load, what will fit.")
    .option("--json", "one JSON object on standard output")
    .addHelpText("after", "\nExit code 1 when the main job would not work here.\n\nExamples:\n  refadgen doctor\n  refadgen doctor --json")
    .action(async ({ json }: { readonly json?: boolean }) => {
      const { checks } = await import("../doctor/checks.js");
      const findings: Finding[] = [];
      for (const check of checks) {
        signal.throwIfAborted();
        findings.push(...(await check()));
      }
      const failed = findings.filter(({ status }) => status === "fail");
      if (json) process.stdout.write(`${JSON.stringify({ ok: failed.length === 0, findings }, null, 2)}\n`);
      else
        process.stdout.write(`${text(findings)}\n\n${failed.length === 0 ? "Ready." : `Not ready: ${failed.map(({ name }) => name).join(", ")}.`}\n`);
      if (failed.length > 0) finish(exitCode.failed);
    });
}

function text(findings: readonly Finding[]): string {
  return tableText(
    findings.flatMap(({ name, status, detail, next }) => [[signs[status], name, detail], ...(next === undefined ? [] : [["", "", `→ ${next}`]])]),
  );
}
