const marker: unique symbol = Symbol.for("@refadgen/errors");

/**
 * The base of every error that RefAdGen-TS throws on purpose.
 *
 * `isInstance` works across two copies of this package (say, two versions in one `node_modules`), where `instanceof` fails:
 * `RefAdGenError.isInstance(error)` for the family, `WeightsError.isInstance(error)` for one member.
 */
export class RefAdGenError extends Error {
  /** What went wrong, as a word to branch on; each subclass lists its own. */
  readonly code: string;

  constructor(code: string, message: string, options?: ErrorOptions) {
    super(message, options);
    this.code = code;
    this.name = new.target.name;
    const lineage: string[] = [];
    for (let type: unknown = new.target; typeof type === "function" && type !== Error; type = Object.getPrototypeOf(type)) lineage.push(type.name);
    Object.defineProperty(this, marker, { value: lineage });
  }

  /** Whether `value` is an error of the class that this is called on, whichever copy of the package made it. */
  static isInstance<T extends RefAdGenError>(this: abstract new (...args: never[]) => T, value: unknown): value is T {
    const lineage: unknown = value instanceof Error ? Reflect.get(value, marker) : undefined;
    return Array.isArray(lineage) && lineage.includes(this.name);
  }
}

/** An argument or option outside what its documentation allows. `code` is `"invalid-argument"`. */
export class ArgumentError extends RefAdGenError {
  constructor(message: string, options?: ErrorOptions) {
    super("invalid-argument", message, options);
  }
}
