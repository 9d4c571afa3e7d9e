import { RefAdGenError } from "@refadgen/errors";

/** The code of an error of @refadgen/dataset, without loading that package for every command. */
export function datasetErrorCode(error: unknown): string | undefined {
  return RefAdGenError.isInstance(error) && error.name === "DatasetError" ? error.code : undefined;
}
