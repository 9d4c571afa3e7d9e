import { errorCode } from "./error-code.js";

/** What to do about an error, as a sentence; undefined where its message says so itself, or nothing is known. */
export function adviceFor(error: unknown): string | undefined {
  const pipeline = errorCode(error, "PipelineError");
  if (pipeline === "mask-needed") return "Give one with --mask, or --no-mask to use none.";
  if (pipeline === "missing-component")
    return "Check the paths, or name a repository on the hub as org/name; refadgen generate --help has an example.";
  if (pipeline === "unsupported-component") return "refadgen inspect FILE tells what a file holds.";
  const weights = errorCode(error, "WeightsError");
  if (weights === "disk-full") return "refadgen cache ls shows what the cache holds, refadgen cache clear makes room.";
  if (weights === "truncated") return "The file is not whole: fetch it again.";
  if (weights !== undefined && weights !== "missing-file") return "refadgen inspect FILE tells what a file holds.";
  if (errorCode(error, "HubError") === "disk-full") return "refadgen cache ls shows what the cache holds.";
  const dataset = errorCode(error, "DatasetError");
  if (dataset !== undefined) return datasetAdvice[dataset];
  if (errorCode(error, "SessionError") !== undefined) return "refadgen doctor tells what works on this machine.";
  if (errorCode(error, "ImageError") !== undefined) return "Expected is a PNG, JPEG or WebP picture.";
  if (errorCode(error, "ArgumentError") !== undefined) return "refadgen COMMAND --help explains every option.";
  const code = error instanceof Error ? Reflect.get(error, "code") : undefined;
  if (code === "EACCES" || code === "EPERM" || code === "EROFS") return "Choose a folder that you may write to.";
  if (code === "ENOSPC") return "The disk is full; refadgen cache ls shows what the cache holds.";
  return code === undefined ? "Run it again with --debug to see where it came from." : undefined;
}

/** By the code of a DatasetError; the others say themselves what to do. */
const datasetAdvice: Readonly<Record<string, string>> = {
  "invalid-config": "refadgen dataset init writes a config that works; the README of @refadgen/dataset explains every setting.",
  "missing-package": "Install it beside refadgen and start again: nothing that was finished is lost.",
  budget: "Raise caption.budget in the config and start again: captions that were written are kept.",
  network: "Is the service that the config names running? What was finished is kept.",
  endpoint: "Is the endpoint of the config the right one? What was finished is kept.",
};
