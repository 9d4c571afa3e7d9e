import { isUtf8 } from "node:buffer";
import { setImmediate as nextTurn } from "node:timers/promises";
import { WeightsError } from "./error.js";
import { callPlain, refuseUnsafe } from "./pickle-globals.js";
import { floatText, indexText, integerText, longText, plainInteger, quotedText, rawUnicode } from "./pickle-text.js";
import { PickleGlobal, PickleObject, type PickleValue } from "./pickle-value.js";

export interface PickleOptions {
  /** Where the pickle begins in the bytes. Default 0. */
  readonly start?: number;
  /** What begins the messages. */
  readonly what: string;
  /** Memory that the objects may take, in bytes (estimated). */
  readonly objectBytes: number;
  /** The object behind a persistent id; without it such ids are refused. */
  readonly persistent?: (id: PickleValue) => PickleValue;
  /** The value of a call of a known function; undefined leaves it a foreign object. */
  readonly call?: (type: PickleGlobal, args: readonly PickleValue[]) => PickleValue | undefined;
  readonly signal?: AbortSignal | undefined;
}

const opcodesPerTurn = 100_000;
const longestInteger = 2048;
const mark = Symbol("mark");
type Slot = PickleValue | typeof mark;

/**
 * Reads one pickle (protocols 0 to 5) as data. Nothing is looked up, imported or called: names stay names, foreign objects stay opaque.
 * Iterative, so nesting has no limit but memory. Returns the value and the position after it.
 * Throws a `WeightsError`: `malformed`, `truncated`, `unsafe`, `unsupported`, `limit`.
 */
export async function unpickle(bytes: Buffer, options: PickleOptions): Promise<{ readonly value: PickleValue; readonly end: number }> {
  const { start = 0, what, persistent, call, signal } = options;
  const stack: Slot[] = [];
  const marks: number[] = [];
  const memo = new Map<number, PickleValue>();
  let at = start;
  let budget = options.objectBytes;

  const malformed = (message: string): never => {
    throw new WeightsError("malformed", `${what}: ${message} (pickle, before byte ${at})`);
  };
  const spend = (cost: number): void => {
    budget -= cost;
    if (budget < 0) throw new WeightsError("limit", `${what}: the pickle's objects take more than ${options.objectBytes} bytes`);
  };
  const take = (length: number): number => {
    if (length > bytes.length - at) throw new WeightsError("truncated", `${what}: the pickle ends within a value`);
    at += length;
    return at - length;
  };
  const uint8 = (): number => bytes[take(1)]!;
  const uint32 = (): number => bytes.readUInt32LE(take(4));
  const uint64 = (): number => Number(bytes.readBigUInt64LE(take(8)));
  const line = (): string => {
    const end = bytes.indexOf(0x0a, at);
    if (end < 0) throw new WeightsError("truncated", `${what}: the pickle ends within a line`);
    const text = bytes.toString("latin1", at, end);
    at = end + 1;
    return text.endsWith("\r") ? text.slice(0, -1) : text;
  };
  const textLine = (): string => {
    const text = line();
    spend(2 * text.length + 16);
    return text;
  };
  const utf8 = (length: number): string => {
    const from = take(length);
    spend(2 * length + 16);
    const text = bytes.subarray(from, at);
    return isUtf8(text) ? text.toString("utf8") : malformed("a text is not UTF-8");
  };
  /** A text of Python 2: bytes of no known encoding. */
  const byteText = (length: number): string => {
    const from = take(length);
    spend(2 * length + 16);
    const text = bytes.subarray(from, at);
    return text.toString(isUtf8(text) ? "utf8" : "latin1");
  };
  const blob = (length: number): Uint8Array => {
    const from = take(length);
    spend(length + 96);
    return Uint8Array.from(bytes.subarray(from, at));
  };
  const long = (length: number): number | bigint => {
    if (length > longestInteger) throw new WeightsError("limit", `${what}: expected integers of at most ${longestInteger} bytes, got ${length}`);
    const from = take(length);
    if (length === 0) return 0;
    const magnitude = BigInt(`0x${Buffer.from(bytes.subarray(from, at)).reverse().toString("hex")}`);
    return plainInteger(BigInt.asIntN(8 * length, magnitude));
  };

  const push = (value: PickleValue): void => {
    spend(8);
    stack.push(value);
  };
  const pop = (): PickleValue => {
    const value = stack.pop();
    return value === undefined || value === mark ? malformed("a value is taken from an empty stack") : value;
  };
  const top = (): PickleValue => {
    const value = stack.at(-1);
    return value === undefined || value === mark ? malformed("a value is taken from an empty stack") : value;
  };
  const popToMark = (): PickleValue[] => {
    const from = marks.pop() ?? malformed("a mark is missing");
    const values = stack.splice(from) as PickleValue[];
    values.shift();
    spend(8 * values.length);
    return values;
  };
  const tuple = (values: PickleValue[]): PickleValue => {
    spend(64 + 8 * values.length);
    return Object.freeze(values);
  };
  const popMany = (count: number): PickleValue[] => {
    const values: PickleValue[] = [];
    for (let i = 0; i < count; i++) values.unshift(pop());
    return values;
  };
  const global = (module: PickleValue, name: PickleValue): PickleGlobal => {
    if (typeof module !== "string" || typeof name !== "string") return malformed("a class's name is no text");
    spend(64);
    const found = new PickleGlobal(module, name);
    refuseUnsafe(found, what);
    return found;
  };
  const callGlobal = (type: PickleValue, args: PickleValue): PickleValue => {
    if (!(type instanceof PickleGlobal)) return malformed("something that is no function is called");
    if (!Array.isArray(args)) return malformed("a function is called without a tuple of arguments");
    spend(256 + 8 * args.length);
    return call?.(type, args) ?? callPlain(type, args, what) ?? new PickleObject(type, args);
  };
  const remember = (index: number): void => {
    spend(48);
    memo.set(index, top());
  };
  const recall = (index: number): PickleValue => memo.get(index) ?? (memo.has(index) ? null : malformed(`nothing was remembered under ${index}`));
  const append = (target: PickleValue, values: readonly PickleValue[]): void => {
    spend(8 * values.length);
    // Loops, not spread arguments: there may be more values than a call takes.
    if (Array.isArray(target) && !Object.isFrozen(target)) for (const value of values) target.push(value);
    else if (target instanceof PickleObject) for (const value of values) target.items.push(value);
    else malformed("values are appended to something that is no list");
  };
  const setItems = (target: PickleValue, values: readonly PickleValue[]): void => {
    if (values.length % 2 !== 0) malformed("a key has no value");
    spend(32 * values.length);
    const entries = target instanceof PickleObject ? target.entries : target;
    if (entries instanceof Map) for (let i = 0; i < values.length; i += 2) entries.set(values[i]!, values[i + 1]!);
    else malformed("items are set in something that is no dict");
  };
  const addItems = (target: PickleValue, values: readonly PickleValue[]): void => {
    spend(32 * values.length);
    if (target instanceof Set) for (const value of values) target.add(value);
    else if (target instanceof PickleObject) append(target, values);
    else malformed("items are added to something that is no set");
  };
  const build = (target: PickleValue, state: PickleValue): void => {
    if (target instanceof PickleObject) target.state = state;
    // Attributes of a dict (`_metadata` of a state dict) are no entries of it.
    else if (!(target instanceof Map)) malformed("a state is restored into something that has none");
  };

  for (let count = 1; ; count++) {
    if (count % opcodesPerTurn === 0) {
      signal?.throwIfAborted();
      await nextTurn();
    }
    const opcode = uint8();
    switch (opcode) {
      case 0x80: {
        const protocol = uint8();
        if (protocol > 5) throw new WeightsError("unsupported", `${what}: expected pickle protocol 0 to 5, got ${protocol}`);
        break;
      }
      case 0x95: {
        const length = uint64();
        if (length > bytes.length - at) throw new WeightsError("truncated", `${what}: the pickle ends within a frame`);
        break;
      }
      case 0x2e: {
        // STOP
        const value = pop();
        return stack.length === 0 ? { value, end: at } : malformed("more than one object is left at the end");
      }

      // The stack
      case 0x28: // MARK
        spend(16);
        marks.push(stack.length);
        stack.push(mark);
        break;
      case 0x30: // POP
        if (stack.at(-1) === mark) {
          stack.pop();
          marks.pop();
        } else pop();
        break;
      case 0x31:
        popToMark();
        break; // POP_MARK
      case 0x32:
        push(top());
        break; // DUP
      case 0x70:
        remember(indexText(line(), malformed));
        break; // PUT
      case 0x71:
        remember(uint8());
        break; // BINPUT
      case 0x72:
        remember(uint32());
        break; // LONG_BINPUT
      case 0x94:
        remember(memo.size);
        break; // MEMOIZE
      case 0x67:
        push(recall(indexText(line(), malformed)));
        break; // GET
      case 0x68:
        push(recall(uint8()));
        break; // BINGET
      case 0x6a:
        push(recall(uint32()));
        break; // LONG_BINGET

      // Plain values
      case 0x4e:
        push(null);
        break; // NONE
      case 0x88:
        push(true);
        break; // NEWTRUE
      case 0x89:
        push(false);
        break; // NEWFALSE
      case 0x49:
        push(integerText(line(), malformed));
        break; // INT
      case 0x4c:
        push(longText(line(), malformed));
        break; // LONG
      case 0x46:
        push(floatText(line(), malformed));
        break; // FLOAT
      case 0x4a:
        push(bytes.readInt32LE(take(4)));
        break; // BININT
      case 0x4b:
        push(uint8());
        break; // BININT1
      case 0x4d:
        push(bytes.readUInt16LE(take(2)));
        break; // BININT2
      case 0x8a:
        push(long(uint8()));
        break; // LONG1
      case 0x8b: {
        // LONG4
        const length = bytes.readInt32LE(take(4));
        push(length < 0 ? malformed("an integer has a negative length") : long(length));
        break;
      }
      case 0x47:
        push(bytes.readDoubleBE(take(8)));
        break; // BINFLOAT
      case 0x58:
        push(utf8(uint32()));
        break; // BINUNICODE
      case 0x8c:
        push(utf8(uint8()));
        break; // SHORT_BINUNICODE
      case 0x8d:
        push(utf8(uint64()));
        break; // BINUNICODE8
      case 0x56:
        push(rawUnicode(textLine(), malformed));
        break; // UNICODE
      case 0x53:
        push(quotedText(textLine(), malformed));
        break; // STRING
      case 0x54: {
        // BINSTRING
        const length = bytes.readInt32LE(take(4));
        push(length < 0 ? malformed("a text has a negative length") : byteText(length));
        break;
      }
      case 0x55:
        push(byteText(uint8()));
        break; // SHORT_BINSTRING
      case 0x42:
        push(blob(uint32()));
        break; // BINBYTES
      case 0x43:
        push(blob(uint8()));
        break; // SHORT_BINBYTES
      case 0x8e:
        push(blob(uint64()));
        break; // BINBYTES8
      case 0x96:
        push(blob(uint64()));
        break; // BYTEARRAY8

      // Containers
      case 0x5d:
        spend(64);
        push([]);
        break; // EMPTY_LIST
      case 0x6c:
        spend(64);
        push(popToMark());
        break; // LIST
      case 0x61: {
        // APPEND
        const value = pop();
        append(top(), [value]);
        break;
      }
      case 0x65: {
        // APPENDS
        const values = popToMark();
        append(top(), values);
        break;
      }
      case 0x29:
        push(tuple([]));
        break; // EMPTY_TUPLE
      case 0x85:
        push(tuple(popMany(1)));
        break; // TUPLE1
      case 0x86:
        push(tuple(popMany(2)));
        break; // TUPLE2
      case 0x87:
        push(tuple(popMany(3)));
        break; // TUPLE3
      case 0x74:
        push(tuple(popToMark()));
        break; // TUPLE
      case 0x7d:
        spend(256);
        push(new Map());
        break; // EMPTY_DICT
      case 0x64: {
        // DICT
        spend(256);
        const dict = new Map<PickleValue, PickleValue>();
        setItems(dict, popToMark());
        push(dict);
        break;
      }
      case 0x73: {
        // SETITEM
        const pair = popMany(2);
        setItems(top(), pair);
        break;
      }
      case 0x75: {
        // SETITEMS
        const pairs = popToMark();
        setItems(top(), pairs);
        break;
      }
      case 0x8f:
        spend(256);
        push(new Set());
        break; // EMPTY_SET
      case 0x90: {
        // ADDITEMS
        const values = popToMark();
        addItems(top(), values);
        break;
      }
      case 0x91: {
        // FROZENSET
        const values = popToMark();
        spend(256 + 32 * values.length);
        push(new Set(values));
        break;
      }

      // Names and objects
      case 0x63: {
        // GLOBAL
        const module = line();
        push(global(module, line()));
        break;
      }
      case 0x93: {
        // STACK_GLOBAL
        const name = pop();
        push(global(pop(), name));
        break;
      }
      case 0x52: // REDUCE
      case 0x81: {
        // NEWOBJ
        const args = pop();
        push(callGlobal(pop(), args));
        break;
      }
      case 0x92: {
        // NEWOBJ_EX
        const named = pop();
        const args = pop();
        const type = pop();
        if (!(named instanceof Map)) malformed("named arguments are no dict");
        push(callGlobal(type, Array.isArray(args) ? tuple([...args, named]) : args));
        break;
      }
      case 0x6f: {
        // OBJ
        const [type = null, ...args] = popToMark();
        push(callGlobal(type, args));
        break;
      }
      case 0x69: {
        // INST
        const module = line();
        const type = global(module, line());
        push(callGlobal(type, popToMark()));
        break;
      }
      case 0x62: {
        // BUILD
        const state = pop();
        build(top(), state);
        break;
      }
      case 0x51:
        push(persistent ? persistent(pop()) : malformed("a persistent id has no meaning here"));
        break; // BINPERSID
      case 0x82:
      case 0x83:
      case 0x84: // EXT1, EXT2, EXT4
        throw new WeightsError("unsafe", `${what}: the pickle refers to Python's extension registry`);
      default: // PERSID, NEXT_BUFFER, READONLY_BUFFER and codes that do not exist
        malformed(`opcode 0x${opcode.toString(16).padStart(2, "0")} is not read here`);
    }
  }
}
