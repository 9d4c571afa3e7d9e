import { ArgumentError } from "@refadgen/errors";
import { DatasetError } from "../error.js";
import type { QueueOptions } from "./queue-options.js";

type BullMq = typeof import("bullmq");

/**
 * BullMQ, once the server has answered: its own connections try for ever.
 *
 * @throws DatasetError `missing-package`, `network`
 */
export async function loadBullMq(connection: Connection): Promise<BullMq> {
  let bullMq: BullMq;
  let Redis: typeof import("ioredis").Redis;
  try {
    [bullMq, { Redis }] = await Promise.all([import("bullmq"), import("ioredis")]);
  } catch (error) {
    throw new DatasetError("missing-package", "several machines work through a queue of BullMQ: npm install bullmq ioredis", { cause: error });
  }
  const client = new Redis({ ...connection, lazyConnect: true, connectTimeout: patience, retryStrategy: () => null });
  let reason: Error | undefined;
  client.on("error", (error: Error) => (reason = error));
  const late = setTimeout(() => client.disconnect(), patience);
  try {
    await client.connect();
    await client.ping(); // refused without the right password
  } catch (error) {
    const { message } = reason ?? (error as Error);
    throw new DatasetError("network", `no Redis or Valkey answers at ${connection.host}:${connection.port}: ${message}`, {
      cause: error,
      retryable: true,
    });
  } finally {
    clearTimeout(late);
    client.disconnect();
  }
  return bullMq;
}

/** Milliseconds. */
const patience = 10_000;

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
