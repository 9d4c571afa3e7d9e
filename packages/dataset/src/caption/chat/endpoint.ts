import type { Json } from "../../contract.js";
import { DatasetError } from "../../error.js";

/** How an endpoint is told to answer in JSON, from the strictest. */
export type AnswerFormat = "json-schema" | "json-object" | "text";

export const answerFormats: readonly AnswerFormat[] = ["json-schema", "json-object", "text"];

/** A server that speaks OpenAI's chat completions and takes pictures: vLLM, Ollama, llama.cpp's server, LM Studio, a hosted service. */
export interface EndpointSettings {
  /** Up to `/v1`, or the whole address: `http://localhost:8000/v1`. It must hold no password or key. */
  readonly url: string;
  /** As the server names it: `Qwen/Qwen2.5-VL-7B-Instruct`, `qwen2.5vl:7b`. */
  readonly model: string;
  /** Name of the environment variable that holds the key, in capitals. The key itself is never part of the settings. */
  readonly keyEnvironment?: string;
  /** Header that carries the key; default `authorization`, after `Bearer `. */
  readonly keyHeader?: string;
  /** Fields of the request besides what the stage sets; `null` takes one away: `{"max_tokens": null, "max_completion_tokens": 600}`. */
  readonly parameters?: { readonly [name: string]: Json };
  /** How long one answer may take, in seconds. Default 120. */
  readonly timeout?: number;
  /** Requests at the same time. Default 4; Ollama works on one unless told otherwise. Halved while the server says that it is busy. */
  readonly concurrent?: number;
  /** Requests in any minute. Default no limit. */
  readonly perMinute?: number;
  /** What is tried first. Default `json-schema`; a server that refuses it is asked in the next way. */
  readonly format?: AnswerFormat;
  /** What a million tokens cost, in the currency of the budget. Default 0. */
  readonly prices?: { readonly input: number; readonly output: number };
}

export interface CheckedEndpoint extends Required<Omit<EndpointSettings, "keyEnvironment" | "perMinute" | "url">> {
  readonly url: URL;
  readonly keyEnvironment: string | undefined;
  readonly perMinute: number | undefined;
}

/** Set by the stage; everything else may be changed. */
const ownFields = ["model", "messages", "stream", "n"];

/** @throws DatasetError `invalid-config` */
export function checkEndpoint(settings: EndpointSettings): CheckedEndpoint {
  const {
    model,
    keyEnvironment,
    keyHeader = "authorization",
    parameters = {},
    timeout = 120,
    concurrent = 4,
    perMinute,
    format = "json-schema",
  } = settings;
  const prices = settings.prices ?? { input: 0, output: 0 };
  const url = URL.canParse(settings.url) ? new URL(settings.url) : undefined;
  if (!url || !["http:", "https:"].includes(url.protocol)) throw invalid("an http or https url of an endpoint", "something else");
  if (url.username !== "" || url.password !== "") throw invalid("an endpoint's url without a password", `one with it for ${url.host}`);
  const secret = [...url.searchParams.keys()].find((name) => /key|token|secret|sig|auth|password/i.test(name));
  if (secret !== undefined) throw invalid("an endpoint's url without a key", `the parameter ${secret} for ${url.host}`);
  if (typeof model !== "string" || model === "") throw invalid("a model", "none");
  // What is pasted here by mistake may be the key itself: it must not be repeated.
  if (keyEnvironment !== undefined && !/^[A-Z_][A-Z\d_]{0,63}$/.test(keyEnvironment)) {
    throw invalid("keyEnvironment to be the name of an environment variable in capitals", "something else, not shown");
  }
  if (!/^[a-z][a-z\d-]{0,40}$/i.test(keyHeader)) throw invalid("keyHeader to be a header's name", "something else");
  for (const name of Object.keys(parameters)) {
    if (ownFields.includes(name)) throw invalid(`parameters without ${ownFields.join(", ")}`, name);
    if (/api[-_]?key|secret|authorization|password/i.test(name)) throw invalid("parameters without keys", name);
  }
  for (const [name, value] of Object.entries({ timeout, concurrent, perMinute: perMinute ?? 1 })) {
    if (!(value > 0) || !Number.isFinite(value)) throw invalid(`${name} above 0`, String(value));
  }
  if (!Number.isInteger(concurrent)) throw invalid("concurrent to be a whole number", String(concurrent));
  if (!answerFormats.includes(format)) throw invalid(`a format of ${answerFormats.join(", ")}`, String(format));
  if (!(prices.input >= 0 && prices.output >= 0)) throw invalid("prices of at least 0", `${prices.input}, ${prices.output}`);
  if (!url.pathname.endsWith("/chat/completions")) url.pathname = `${url.pathname.replace(/\/+$/, "")}/chat/completions`;
  return { url, model, keyEnvironment, keyHeader, parameters, timeout, concurrent, perMinute, format, prices };
}

function invalid(expected: string, got: string): DatasetError {
  return new DatasetError("invalid-config", `captionStage: expected ${expected}, got ${got}`);
}
