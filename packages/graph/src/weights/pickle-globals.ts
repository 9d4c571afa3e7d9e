import { WeightsError } from "./error.js";
import { isList, type PickleGlobal, PickleObject, type PickleValue } from "./pickle-value.js";

/**
 * Modules that no weights need and attacks do. Nothing is executed either way (an unknown name is only kept as a name); refusing these is
 * the second line, and tells people what they have downloaded.
 */
const unsafeModules: ReadonlySet<string> = new Set(
  [
    "os",
    "posix",
    "nt",
    "posixpath",
    "ntpath",
    "subprocess",
    "_posixsubprocess",
    "sys",
    "socket",
    "_socket",
    "shutil",
    "pty",
    "commands",
    "popen2",
  ].concat(
    ["importlib", "_frozen_importlib", "imp", "runpy", "code", "codeop", "ctypes", "_ctypes", "marshal", "pickle", "_pickle", "cloudpickle", "dill"],
    ["webbrowser", "urllib", "requests", "httplib", "http", "ftplib", "smtplib", "pip", "bdb", "pdb", "timeit", "pydoc", "doctest", "linecache"],
  ),
);

const harmlessBuiltins: ReadonlySet<string> = new Set(
  [
    "set",
    "frozenset",
    "complex",
    "bytearray",
    "bytes",
    "str",
    "unicode",
    "int",
    "long",
    "float",
    "bool",
    "dict",
    "list",
    "tuple",
    "object",
    "slice",
    "range",
    "xrange",
  ].concat(["NoneType", "Ellipsis", "NotImplemented"]),
);

const harmlessTorchUtils = /^_rebuild_[A-Za-z0-9_]+$/;
const unsafeElsewhere: ReadonlySet<string> = new Set([
  "functools.partial",
  "torch.load",
  "torch.hub.load",
  "torch.jit.load",
  "operator.attrgetter",
  "operator.methodcaller",
]);

/** Throws a `WeightsError` (`unsafe`) for names that are there to run something. */
export function refuseUnsafe({ module, name }: PickleGlobal, what: string): void {
  const builtin = module === "builtins" || module === "__builtin__";
  const segments = [module, ...name.split(".")].flatMap((part) => part.split("."));
  if (
    (builtin && !harmlessBuiltins.has(name)) ||
    (module === "torch._utils" && !harmlessTorchUtils.test(name)) ||
    unsafeElsewhere.has(`${module}.${name}`) ||
    // A segment of a class path may be called anything; the module's first may not, nor may a dotted name reach through a module.
    unsafeModules.has(segments[0]!) ||
    (name.includes(".") && segments.some((segment) => unsafeModules.has(segment)))
  ) {
    throw new WeightsError("unsafe", `${what}: the pickle asks for ${module}.${name}, which weights do not need; nothing was executed`);
  }
}

/**
 * What calling a Python name with these arguments gives, where that is plain data: containers, bytes. Undefined for everything else.
 * Throws a `WeightsError` (`malformed`) when the arguments do not fit.
 */
export function callPlain(type: PickleGlobal, args: readonly PickleValue[], what: string): PickleValue | undefined {
  const { module, name } = type;
  const fail = (): never => {
    throw new WeightsError("malformed", `${what}: ${type} is called with arguments that it does not take`);
  };
  const items = (): readonly PickleValue[] => {
    const [list = []] = args;
    return args.length > 1 || !(isList(list) || list instanceof Set) ? fail() : [...list];
  };
  if (module === "collections" && name === "OrderedDict") return pairs(args[0] ?? null, fail);
  // The first argument is the factory of missing values.
  if (module === "collections" && name === "defaultdict") return pairs(args[1] ?? null, fail);
  if (module === "_codecs" && name === "encode") {
    const [text, encoding] = args;
    if (typeof text !== "string" || (encoding !== "latin1" && encoding !== "utf-8")) return fail();
    if (encoding === "latin1" && [...text].some((character) => character.codePointAt(0)! > 0xff)) return fail();
    return Buffer.from(text, encoding);
  }
  if (module !== "builtins" && module !== "__builtin__") return undefined;
  switch (name) {
    case "set":
    case "frozenset":
      return new Set(items());
    case "list":
      return [...items()];
    case "tuple":
      return Object.freeze([...items()]);
    case "dict":
      return pairs(args[0] ?? null, fail);
    case "bytearray":
    case "bytes":
      return args.length === 0 ? new Uint8Array() : args[0] instanceof Uint8Array && args.length === 1 ? args[0] : new PickleObject(type, args);
    default:
      return undefined;
  }
}

function pairs(source: PickleValue, fail: () => never): Map<PickleValue, PickleValue> {
  if (source === null) return new Map();
  if (source instanceof Map) return new Map(source);
  if (!isList(source)) return fail();
  return new Map(source.map((pair) => (isList(pair) && pair.length === 2 ? [pair[0]!, pair[1]!] : fail())));
}
