export interface QueueOptions {
  /** Redis or Valkey: `redis://host:6379`, `rediss://user:password@host:6380/1`. */
  readonly redis: string;
  /** Of the queue; runs at the same time need different ones. Default `refadgen-dataset`. */
  readonly queue?: string;
}

export const defaultQueue = "refadgen-dataset";
