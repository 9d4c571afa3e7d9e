import { InvalidArgumentError } from "commander";

export function collect(value: string, all: readonly string[] = []): string[] {
  return [...all, value];
}

export function wholeNumber(text: string): number {
  if (!/^\d+$/.test(text)) throw new InvalidArgumentError(`Expected a whole number, got "${text}".`);
  return Number(text);
}

export function realNumber(text: string): number {
  const value = Number(text);
  if (text.trim() === "" || !Number.isFinite(value)) throw new InvalidArgumentError(`Expected a number, got "${text}".`);
  return value;
}

export function seeds(text: string): bigint | bigint[] {
  const parts = text.split(",").map((part) => part.trim());
  if (!parts.every((part) => /^-?\d+$/.test(part))) throw new InvalidArgumentError(`Expected whole numbers, got "${text}".`);
  return parts.length === 1 ? BigInt(parts[0]!) : parts.map(BigInt);
}

/** `200,800` */
export function interval(text: string): readonly [number, number] {
  const parts = text.split(",").map(realNumber);
  if (parts.length !== 2) throw new InvalidArgumentError(`Expected two numbers such as 200,800, got "${text}".`);
  return [parts[0]!, parts[1]!];
}

/** `30d`, `12h`, `90m`: how long ago. */
export function age(text: string): number {
  const [, count, unit] = /^(\d+)([dhm])$/.exec(text) ?? [];
  if (!count || !unit) throw new InvalidArgumentError(`Expected a time such as 30d, 12h or 90m, got "${text}".`);
  return Number(count) * { d: 86_400_000, h: 3_600_000, m: 60_000 }[unit as "d" | "h" | "m"];
}
