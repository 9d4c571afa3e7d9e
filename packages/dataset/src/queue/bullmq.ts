import { ArgumentError } from "@refadgen/errors";
import { DatasetError } from "../error.js";

export type BullMq = typeof import("bullmq");

export interface QueueOptions {
  /** Redis or Valkey: `redis://host:6379`, `rediss://user:password@host:6380/1`. */
  readonly redis: string;
  /** Of the queue; runs at the same time need different ones. Default `refadgen-dataset`. */
  readonly queue?: string;
}

export const defaultQueue = "refadgen-dataset";

/** @throws DatasetError `missing-package` */
export async function loadBullMq(): Promise<BullMq> {
  try {
    return await import("bullmq");
  } catch (error) {
    throw new DatasetError("missing-package", "several machines work through a queue of BullMQ: npm install bullmq", { cause: error });
  }
}

export interface Connection {
  readonly host: string;
  readonly port: number;
  readonly username?: string;
  readonly password?: string;
  readonly db?: number;
  readonly tls?: Record<string, never>;
  readonly maxRetriesPerRequest: null;
}

/** @throws ArgumentError */
export function connectionOf(where: string, { redis }: QueueOptions): Connection {
  let url: URL;
  try {
    url = new URL(redis);
  } catch (error) {
    throw new ArgumentError(`${where}: expected an address like redis://host:6379, got ${JSON.stringify(redis)}`, { cause: error });
  }
  if (!/^rediss?:$/.test(url.protocol) || url.hostname === "" || !/^(\/\d*)?$/.test(url.pathname))
    throw new ArgumentError(`${where}: expected an address like redis://host:6379, got ${JSON.stringify(redis)}`);
  const db = url.pathname.slice(1);
  return {
    host: url.hostname.replace(/^\[|\]$/g, ""),
    port: url.port === "" ? 6379 : Number(url.port),
    ...(url.username !== "" && { username: decodeURIComponent(url.username) }),
    ...(url.password !== "" && { password: decodeURIComponent(url.password) }),
    ...(db !== "" && { db: Number(db) }),
    ...(url.protocol === "rediss:" && { tls: {} }),
    maxRetriesPerRequest: null,
  };
}
