import type { BrowseQuery, Decision, PictureRole } from "./store.js";

/** What a request says wrong; told to the page. */
export class BadRequest extends Error {}

const keyPattern = /^[A-Za-z\d_-]{1,200}$/;
const rolePattern = /^(?:ad|product|mask|variant-\d{1,3})$/;

/** @throws BadRequest for what is no key or no role */
export function pictureOf(key: string, role: string): { readonly key: string; readonly role: PictureRole } {
  if (!keyPattern.test(key) || !rolePattern.test(role)) throw new BadRequest("expected a key and a picture's role");
  return { key, role: role as PictureRole };
}

/** @throws BadRequest for fields that there are not and values out of range */
export function queryOf(parameters: URLSearchParams): BrowseQuery {
  const known = ["after", "limit", "category", "decision", "reason", "score", "least", "most", "order", "direction"];
  const strange = [...parameters.keys()].find((name) => !known.includes(name));
  if (strange !== undefined) throw new BadRequest(`expected one of ${known.join(", ")}`);
  const text = (name: string): string | undefined => {
    const value = parameters.get(name) ?? "";
    if (value.length > 200) throw new BadRequest(`expected ${name} of at most 200 characters`);
    return value === "" ? undefined : value;
  };
  const number = (name: string): number | undefined => {
    const value = text(name);
    if (value !== undefined && !Number.isFinite(Number(value))) throw new BadRequest(`expected ${name} to be a number`);
    return value === undefined ? undefined : Number(value);
  };
  const limit = number("limit") ?? 60;
  if (!Number.isInteger(limit) || limit < 1 || limit > 200) throw new BadRequest("expected a limit from 1 to 200");
  const after = text("after");
  if (after !== undefined && !keyPattern.test(after)) throw new BadRequest("expected after to be a key");
  const decision = text("decision");
  if (decision !== undefined && !["accepted", "rejected", "none"].includes(decision))
    throw new BadRequest("expected a decision of accepted, rejected or none");
  const direction = text("direction") ?? "ascending";
  if (direction !== "ascending" && direction !== "descending") throw new BadRequest("expected a direction of ascending or descending");
  const [category, reason, score, order] = [text("category"), text("reason"), text("score"), text("order")];
  const [least, most] = [number("least"), number("most")];
  return {
    limit,
    ...(after !== undefined && { after }),
    ...(category !== undefined && { category }),
    ...(decision !== undefined && { decision: decision as Decision | "none" }),
    ...(reason !== undefined && { reason }),
    ...(score !== undefined && { score: { name: score, ...(least !== undefined && { least }), ...(most !== undefined && { most }) } }),
    ...(order !== undefined && { order: { score: order, direction } }),
  };
}

/** @throws BadRequest for anything but `{"key": …, "decision": "accepted" | "rejected" | null}` */
export function decisionOf(body: string): { readonly key: string; readonly decision: Decision | undefined } {
  let value: unknown;
  try {
    value = JSON.parse(body);
  } catch {
    throw new BadRequest("expected JSON");
  }
  const { key, decision } = Object(value) as { readonly key?: unknown; readonly decision?: unknown };
  if (typeof key !== "string" || !keyPattern.test(key)) throw new BadRequest("expected a key");
  if (decision !== null && decision !== "accepted" && decision !== "rejected")
    throw new BadRequest("expected a decision of accepted, rejected or null");
  return { key, decision: decision ?? undefined };
}
