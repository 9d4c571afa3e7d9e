import { RefAdGenError } from "@refadgen/errors";

/** The code of an error of one class of ours; known by its name, so that the package that it comes from need not be loaded to tell that it does not. */
export function errorCode(
  error: unknown,
  name: "ArgumentError" | "DatasetError" | "HubError" | "ImageError" | "PipelineError" | "SessionError" | "WeightsError",
): string | undefined {
  return RefAdGenError.isInstance(error) && error.name === name ? error.code : undefined;
}
