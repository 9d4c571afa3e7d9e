import { RefAdGenError } from "@refadgen/errors";

/** An op was given values that do not fit together; thrown while the graph is built, before anything runs. `code` is `"shape"`. */
export class GraphError extends RefAdGenError {
  constructor(message: string, options?: ErrorOptions) {
    super("shape", message, options);
  }
}
