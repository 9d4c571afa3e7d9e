import { DatasetError } from "@refadgen/dataset";
import { HubError } from "@refadgen/hub";
import { ArgumentError, ImageError, PipelineError, SessionError, WeightsError } from "@refadgen/pipeline";

/** What to do about an error, as a sentence; undefined where its message says so itself, or nothing is known. */
export function adviceFor(error: unknown): string | undefined {
  if (PipelineError.isInstance(error)) {
    if (error.code === "mask-needed") return "Give one with --mask, or --no-mask to use none.";
    if (error.code === "missing-component")
      return "Check the paths, or name a repository on the hub as org/name; refadgen generate --help has an example.";
    if (error.code === "unsupported-component") return "refadgen inspect FILE tells what a file holds.";
  }
  if (WeightsError.isInstance(error)) {
    if (error.code === "disk-full") return "refadgen cache ls shows what the cache holds, refadgen cache clear makes room.";
    if (error.code === "truncated") return "The file is not whole: fetch it again.";
    if (error.code !== "missing-file") return "refadgen inspect FILE tells what a file holds.";
  }
  if (HubError.isInstance(error) && error.code === "disk-full") return "refadgen cache ls shows what the cache holds.";
  if (DatasetError.isInstance(error)) {
    if (error.code === "invalid-config") return "The README of @refadgen/dataset explains every setting; refadgen dataset init writes a config that works.";
    if (error.code === "missing-package") return "Install it beside refadgen and start again: nothing that was finished is lost.";
    if (error.code === "budget") return "Raise caption.budget in the config, or take a cheaper model, and start again: captions that were written are kept.";
    if (error.code === "network" || error.code === "endpoint") return "Is the endpoint of the config running? What was finished is kept.";
    return undefined;
  }
  if (SessionError.isInstance(error)) return "refadgen doctor tells what works on this machine.";
  if (ImageError.isInstance(error)) return "Expected is a PNG, JPEG or WebP picture.";
  if (ArgumentError.isInstance(error)) return "refadgen COMMAND --help explains every option.";
  const code = error instanceof Error ? Reflect.get(error, "code") : undefined;
  if (code === "EACCES" || code === "EPERM" || code === "EROFS") return "Choose a folder that you may write to.";
  if (code === "ENOSPC") return "The disk is full; refadgen cache ls shows what the cache holds.";
  return code === undefined ? "Run it again with --debug to see where it came from." : undefined;
}
