import { expect, it } from "vitest";
import { type PickleOptions, unpickle } from "./pickle.js";
import { PickleObject, type PickleValue } from "./pickle-value.js";

const options: PickleOptions = { what: "test", objectBytes: 2 ** 20 };
const read = async (bytes: Buffer) => (await unpickle(bytes, options)).value;
const text = (source: string) => read(Buffer.from(source, "latin1"));

/** Written by Python 3.11: pickle.dumps(value, protocol) of one value in every protocol. */
const written: readonly string[] = [
  "Y2NvbGxlY3Rpb25zCk9yZGVyZWREaWN0CnAwCih0UnAxClZhCnAyCihscDMKSTEKYUktMgphSTMwMAphSS03MDAwMAphTDEwOTk1MTE2Mjc3NzZMCmFMMTIwODkyNTgxOTYxNDYyOTE3NDcwNjE3NkwKYUwtMTE4MDU5MTYyMDcxNzQxMTMwMzQyNEwKYUYxLjUKYUYtMWUrMzAwCmFGaW5mCmFJMDEKYUkwMAphTmFzVnQKcDQKKCh0KEkxCnRwNQooSTEKSTIKdHA2CihJMQpJMgpJMwp0cDcKKEkxCkkyCkkzCkk0CnRwOAp0cDkKc1ZzCnAxMApjX19idWlsdGluX18Kc2V0CnAxMQooKGxwMTIKSTUKYXRwMTMKUnAxNApzVmYKcDE1CmNfX2J1aWx0aW5fXwpmcm96ZW5zZXQKcDE2CigobHAxNwpJNgphdHAxOApScDE5CnNWeQpwMjAKY19jb2RlY3MKZW5jb2RlCnAyMQooVlx1MDAwMP8KcDIyClZsYXRpbjEKcDIzCnRwMjQKUnAyNQpzVnUKcDI2Clb8bu9cdTAwNWN1XHU5MWNkXHUwMDBhXFUwMDAxZjYwMApwMjcKc1ZiYQpwMjgKY19fYnVpbHRpbl9fCmJ5dGVhcnJheQpwMjkKKGcyMQooVnh5CnAzMApnMjMKdHAzMQpScDMyCnRwMzMKUnAzNApzVngKcDM1CihscDM2CkkxCmFJMgphc1Z4MgpwMzcKZzM2CnNWZApwMzgKKGRwMzkKSTEKVm9uZQpwNDAKcyhWawpwNDEKSTIKdHA0MgpGMy4yNQpzc1Zsb25nCnA0MwpWenp6enp6enp6enp6enp6enp6enp6enp6enp6enp6enp6enp6enp6enp6enp6enp6enp6enp6enp6enp6enp6enp6enp6enp6enp6enp6enp6enp6enp6enp6enp6enp6enp6enp6enp6enp6enp6enp6enp6enp6enp6enp6enp6enp6enp6enp6enp6enp6enp6enp6enp6enp6enp6enp6enp6enp6enp6enp6enp6enp6enp6enp6enp6enp6enp6enp6enp6enp6enp6enp6enp6enp6enp6enp6enp6enp6enp6enp6enp6enp6enp6enp6enp6enp6enp6enp6enp6enp6enp6enp6enp6enp6enp6enp6enp6enp6enp6enp6enp6enp6CnA0NApzVmMKcDQ1CmNfX2J1aWx0aW5fXwpjb21wbGV4CnA0NgooRjEuMApGMi4wCnRwNDcKUnA0OApzLg==",
  "Y2NvbGxlY3Rpb25zCk9yZGVyZWREaWN0CnEAKVJxAShYAQAAAGFxAl1xAyhLAUr+////TSwBSpDu/v9MMTA5OTUxMTYyNzc3NkwKTDEyMDg5MjU4MTk2MTQ2MjkxNzQ3MDYxNzZMCkwtMTE4MDU5MTYyMDcxNzQxMTMwMzQyNEwKRz/4AAAAAAAAR/435DyIAHWcR3/wAAAAAAAASTAxCkkwMApOZVgBAAAAdHEEKCkoSwF0cQUoSwFLAnRxBihLAUsCSwN0cQcoSwFLAksDSwR0cQh0cQlYAQAAAHNxCmNfX2J1aWx0aW5fXwpzZXQKcQsoXXEMSwVhdHENUnEOWAEAAABmcQ9jX19idWlsdGluX18KZnJvemVuc2V0CnEQKF1xEUsGYXRxElJxE1gBAAAAeXEUY19jb2RlY3MKZW5jb2RlCnEVKFgDAAAAAMO/cRZYBgAAAGxhdGluMXEXdHEYUnEZWAEAAAB1cRpYDwAAAMO8bsOvXHXph40K8J+YgHEbWAIAAABiYXEcY19fYnVpbHRpbl9fCmJ5dGVhcnJheQpxHShoFShYAgAAAHh5cR5oF3RxH1JxIHRxIVJxIlgBAAAAeHEjXXEkKEsBSwJlWAIAAAB4MnElaCRYAQAAAGRxJn1xJyhLAVgDAAAAb25lcSgoWAEAAABrcSlLAnRxKkdACgAAAAAAAHVYBAAAAGxvbmdxK1gsAQAAenp6enp6enp6enp6enp6enp6enp6enp6enp6enp6enp6enp6enp6enp6enp6enp6enp6enp6enp6enp6enp6enp6enp6enp6enp6enp6enp6enp6enp6enp6enp6enp6enp6enp6enp6enp6enp6enp6enp6enp6enp6enp6enp6enp6enp6enp6enp6enp6enp6enp6enp6enp6enp6enp6enp6enp6enp6enp6enp6enp6enp6enp6enp6enp6enp6enp6enp6enp6enp6enp6enp6enp6enp6enp6enp6enp6enp6enp6enp6enp6enp6enp6enp6enp6enp6enp6enp6enp6enp6enp6enp6enp6enp6enp6enp6enp6enp6enp6enp6enp6cSxYAQAAAGNxLWNfX2J1aWx0aW5fXwpjb21wbGV4CnEuKEc/8AAAAAAAAEdAAAAAAAAAAHRxL1JxMHUu",
  "gAJjY29sbGVjdGlvbnMKT3JkZXJlZERpY3QKcQApUnEBKFgBAAAAYXECXXEDKEsBSv7///9NLAFKkO7+/4oGAAAAAAABigsAAAAAAAAAAAAAAYoJAAAAAAAAAADARz/4AAAAAAAAR/435DyIAHWcR3/wAAAAAAAAiIlOZVgBAAAAdHEEKClLAYVxBUsBSwKGcQZLAUsCSwOHcQcoSwFLAksDSwR0cQh0cQlYAQAAAHNxCmNfX2J1aWx0aW5fXwpzZXQKcQtdcQxLBWGFcQ1ScQ5YAQAAAGZxD2NfX2J1aWx0aW5fXwpmcm96ZW5zZXQKcRBdcRFLBmGFcRJScRNYAQAAAHlxFGNfY29kZWNzCmVuY29kZQpxFVgDAAAAAMO/cRZYBgAAAGxhdGluMXEXhnEYUnEZWAEAAAB1cRpYDwAAAMO8bsOvXHXph40K8J+YgHEbWAIAAABiYXEcY19fYnVpbHRpbl9fCmJ5dGVhcnJheQpxHWgVWAIAAAB4eXEeaBeGcR9ScSCFcSFScSJYAQAAAHhxI11xJChLAUsCZVgCAAAAeDJxJWgkWAEAAABkcSZ9cScoSwFYAwAAAG9uZXEoWAEAAABrcSlLAoZxKkdACgAAAAAAAHVYBAAAAGxvbmdxK1gsAQAAenp6enp6enp6enp6enp6enp6enp6enp6enp6enp6enp6enp6enp6enp6enp6enp6enp6enp6enp6enp6enp6enp6enp6enp6enp6enp6enp6enp6enp6enp6enp6enp6enp6enp6enp6enp6enp6enp6enp6enp6enp6enp6enp6enp6enp6enp6enp6enp6enp6enp6enp6enp6enp6enp6enp6enp6enp6enp6enp6enp6enp6enp6enp6enp6enp6enp6enp6enp6enp6enp6enp6enp6enp6enp6enp6enp6enp6enp6enp6enp6enp6enp6enp6enp6enp6enp6enp6enp6enp6enp6enp6enp6enp6enp6enp6enp6enp6enp6enp6enp6cSxYAQAAAGNxLWNfX2J1aWx0aW5fXwpjb21wbGV4CnEuRz/wAAAAAAAAR0AAAAAAAAAAhnEvUnEwdS4=",
  "gANjY29sbGVjdGlvbnMKT3JkZXJlZERpY3QKcQApUnEBKFgBAAAAYXECXXEDKEsBSv7///9NLAFKkO7+/4oGAAAAAAABigsAAAAAAAAAAAAAAYoJAAAAAAAAAADARz/4AAAAAAAAR/435DyIAHWcR3/wAAAAAAAAiIlOZVgBAAAAdHEEKClLAYVxBUsBSwKGcQZLAUsCSwOHcQcoSwFLAksDSwR0cQh0cQlYAQAAAHNxCmNidWlsdGlucwpzZXQKcQtdcQxLBWGFcQ1ScQ5YAQAAAGZxD2NidWlsdGlucwpmcm96ZW5zZXQKcRBdcRFLBmGFcRJScRNYAQAAAHlxFEMCAP9xFVgBAAAAdXEWWA8AAADDvG7Dr1x16YeNCvCfmIBxF1gCAAAAYmFxGGNidWlsdGlucwpieXRlYXJyYXkKcRlDAnh5cRqFcRtScRxYAQAAAHhxHV1xHihLAUsCZVgCAAAAeDJxH2geWAEAAABkcSB9cSEoSwFYAwAAAG9uZXEiWAEAAABrcSNLAoZxJEdACgAAAAAAAHVYBAAAAGxvbmdxJVgsAQAAenp6enp6enp6enp6enp6enp6enp6enp6enp6enp6enp6enp6enp6enp6enp6enp6enp6enp6enp6enp6enp6enp6enp6enp6enp6enp6enp6enp6enp6enp6enp6enp6enp6enp6enp6enp6enp6enp6enp6enp6enp6enp6enp6enp6enp6enp6enp6enp6enp6enp6enp6enp6enp6enp6enp6enp6enp6enp6enp6enp6enp6enp6enp6enp6enp6enp6enp6enp6enp6enp6enp6enp6enp6enp6enp6enp6enp6enp6enp6enp6enp6enp6enp6enp6enp6enp6enp6enp6enp6enp6enp6enp6enp6enp6enp6enp6enp6enp6enp6enp6cSZYAQAAAGNxJ2NidWlsdGlucwpjb21wbGV4CnEoRz/wAAAAAAAAR0AAAAAAAAAAhnEpUnEqdS4=",
  "gASVjAIAAAAAAACMC2NvbGxlY3Rpb25zlIwLT3JkZXJlZERpY3SUk5QpUpQojAFhlF2UKEsBSv7///9NLAFKkO7+/4oGAAAAAAABigsAAAAAAAAAAAAAAYoJAAAAAAAAAADARz/4AAAAAAAAR/435DyIAHWcR3/wAAAAAAAAiIlOZYwBdJQoKUsBhZRLAUsChpRLAUsCSwOHlChLAUsCSwNLBHSUdJSMAXOUj5QoSwWQjAFmlChLBpGUjAF5lEMCAP+UjAF1lIwPw7xuw69cdemHjQrwn5iAlIwCYmGUjAhidWlsdGluc5SMCWJ5dGVhcnJheZSTlEMCeHmUhZRSlIwBeJRdlChLAUsCZYwCeDKUaByMAWSUfZQoSwGMA29uZZSMAWuUSwKGlEdACgAAAAAAAHWMBGxvbmeUWCwBAAB6enp6enp6enp6enp6enp6enp6enp6enp6enp6enp6enp6enp6enp6enp6enp6enp6enp6enp6enp6enp6enp6enp6enp6enp6enp6enp6enp6enp6enp6enp6enp6enp6enp6enp6enp6enp6enp6enp6enp6enp6enp6enp6enp6enp6enp6enp6enp6enp6enp6enp6enp6enp6enp6enp6enp6enp6enp6enp6enp6enp6enp6enp6enp6enp6enp6enp6enp6enp6enp6enp6enp6enp6enp6enp6enp6enp6enp6enp6enp6enp6enp6enp6enp6enp6enp6enp6enp6enp6enp6enp6enp6enp6enp6enp6enp6enp6enp6enp6enp6enqUjAFjlGgVjAdjb21wbGV4lJOURz/wAAAAAAAAR0AAAAAAAAAAhpRSlHUu",
  "gAWVfwIAAAAAAACMC2NvbGxlY3Rpb25zlIwLT3JkZXJlZERpY3SUk5QpUpQojAFhlF2UKEsBSv7///9NLAFKkO7+/4oGAAAAAAABigsAAAAAAAAAAAAAAYoJAAAAAAAAAADARz/4AAAAAAAAR/435DyIAHWcR3/wAAAAAAAAiIlOZYwBdJQoKUsBhZRLAUsChpRLAUsCSwOHlChLAUsCSwNLBHSUdJSMAXOUj5QoSwWQjAFmlChLBpGUjAF5lEMCAP+UjAF1lIwPw7xuw69cdemHjQrwn5iAlIwCYmGUlgIAAAAAAAAAeHmUjAF4lF2UKEsBSwJljAJ4MpRoF4wBZJR9lChLAYwDb25llIwBa5RLAoaUR0AKAAAAAAAAdYwEbG9uZ5RYLAEAAHp6enp6enp6enp6enp6enp6enp6enp6enp6enp6enp6enp6enp6enp6enp6enp6enp6enp6enp6enp6enp6enp6enp6enp6enp6enp6enp6enp6enp6enp6enp6enp6enp6enp6enp6enp6enp6enp6enp6enp6enp6enp6enp6enp6enp6enp6enp6enp6enp6enp6enp6enp6enp6enp6enp6enp6enp6enp6enp6enp6enp6enp6enp6enp6enp6enp6enp6enp6enp6enp6enp6enp6enp6enp6enp6enp6enp6enp6enp6enp6enp6enp6enp6enp6enp6enp6enp6enp6enp6enp6enp6enp6enp6enp6enp6enp6enp6enp6enp6enp6epSMAWOUjAhidWlsdGluc5SMB2NvbXBsZXiUk5RHP/AAAAAAAABHQAAAAAAAAACGlFKUdS4=",
];

it.each(written.map((pickle, protocol) => ({ pickle, protocol })))("protocol $protocol", async ({ pickle }) => {
  const value = (await read(Buffer.from(pickle, "base64"))) as Map<string, PickleValue>;
  expect(value).toBeInstanceOf(Map);
  expect(value.get("a")).toEqual([1, -2, 300, -70000, 2 ** 40, 2n ** 80n, -(2n ** 70n), 1.5, -1e300, Number.POSITIVE_INFINITY, true, false, null]);
  expect(value.get("t")).toEqual([[], [1], [1, 2], [1, 2, 3], [1, 2, 3, 4]]);
  expect(Object.isFrozen(value.get("t"))).toBe(true);
  expect([value.get("s"), value.get("f")]).toEqual([new Set([5]), new Set([6])]);
  expect([...(value.get("y") as Uint8Array)]).toEqual([0, 255]);
  expect(Buffer.from(value.get("ba") as Uint8Array).toString()).toBe("xy");
  expect(value.get("u")).toBe("ünï\\u重\n😀");
  expect(value.get("x")).toEqual([1, 2]);
  expect(value.get("x2")).toBe(value.get("x"));
  const [one, pair] = (value.get("d") as Map<PickleValue, PickleValue>).keys();
  expect([one, pair]).toEqual([1, ["k", 2]]);
  expect(value.get("long")).toBe("z".repeat(300));
  expect((value.get("c") as PickleObject).arguments).toEqual([1, 2]);
});

it("texts of Python 2, numbers as text, and what protocol 0 calls booleans", async () => {
  expect(await text("(S'it\\'s \\x41\\n'\nU\x02\xe9\xe9T\x01\x00\x00\x00aI01\nI00\nI-7\nL12345678901234567890L\nF-1.5e3\nFnan\nl.")).toEqual([
    "it's A\n",
    "éé",
    "a",
    true,
    false,
    -7,
    12345678901234567890n,
    -1500,
    Number.NaN,
  ]);
});

it("foreign objects keep what was to be done with them", async () => {
  const object = (await text("cmodule.sub\nClass\n(I1\ntR(I2\nI3\ne(Vk\nI4\nuVstate\nb.")) as PickleObject;
  expect(object).toBeInstanceOf(PickleObject);
  expect(String(object.type)).toBe("module.sub.Class");
  expect([object.arguments, object.items, [...object.entries], object.state]).toEqual([[1], [2, 3], [["k", 4]], "state"]);
});

it("names such as __proto__ stay keys", async () => {
  const value = (await text("(dV__proto__\n(dVpolluted\nI01\nss.")) as Map<PickleValue, PickleValue>;
  expect([...value.keys()]).toEqual(["__proto__"]);
  expect(Reflect.get({}, "polluted")).toBeUndefined();
});

it.each([
  ["an empty file", "", "truncated"],
  ["a string that ends early", "X\x05\0\0\0ab", "truncated"],
  ["a name to run something", "cos\nsystem\n.", "unsafe"],
  ["the same through a module that is allowed", "ctorch\n_utils.os.system\n.", "unsafe"],
  ["a builtin that is no type", "c__builtin__\neval\n.", "unsafe"],
  ["the extension registry", "\x82\x01.", "unsafe"],
  ["a later protocol", "\x80\x06N.", "unsupported"],
  ["a persistent id where there are none", "I1\nQ.", "malformed"],
  ["a call of a text", "Vf\n)R.", "malformed"],
  ["a state for a list", "]Vx\nb.", "malformed"],
  ["a float with letters", "F0x10\n.", "malformed"],
])("%s is refused: %s as %s", async (_, source, code) => {
  await expect(text(source)).rejects.toMatchObject({ name: "WeightsError", code });
});

it("objects are counted, not only bytes", async () => {
  await expect(unpickle(Buffer.from(`${"}".repeat(5000)}.`), options)).rejects.toMatchObject({ code: "limit" });
});

it("says where the pickle ended", async () => {
  expect((await unpickle(Buffer.from("..N.rest"), { ...options, start: 2 })).end).toBe(4);
});
