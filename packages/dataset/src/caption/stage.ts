import { decodeImage, type Image } from "@refadgen/image";
import type { CaptionRow, Item, Json, Rejection, Stage, StageContext, StageOutcome } from "../contract.js";
import { DatasetError } from "../error.js";
import { type Random, random } from "../mini/random.js";
import { parseAnswer } from "./chat/answer.js";
import { Budget, type CaptionUsage, noUsage } from "./chat/budget.js";
import { Chat } from "./chat/chat.js";
import { type Clock, systemClock } from "./chat/clock.js";
import { type CaptionContext, checkCaptions } from "./check/check.js";
import type { CaptionProblem, CaptionProblemCode } from "./check/problem.js";
import { sentPicture } from "./picture.js";
import { answerSchema, captionMessages } from "./prompt.js";
import { type CaptionSettings, type CaptionWriter, type CheckedCaptionSettings, checkCaptionSettings } from "./settings.js";
import { pictureFacts } from "./template/facts.js";
import { templateCaptions } from "./template/template.js";

/** What the stage uses besides its settings; none of it changes what a finished row should hold. */
export interface CaptionTools {
  /** Ids of a caption, start and end included; default an estimate that rather says too many. `clipTokenizer(…).tokenize(text).length` is exact. */
  readonly countTokens?: (caption: string) => number;
  /** Where keys are read. Default `process.env`. */
  readonly environment?: Readonly<Record<string, string | undefined>>;
  /** What earlier runs spent of the same budget. Default nothing. */
  readonly spent?: CaptionUsage;
  /** Text that is known to be printed in a picture. Default none. */
  readonly visibleText?: (item: Item) => readonly string[];
  readonly clock?: Clock;
}

export interface CaptionStage extends Stage<"caption"> {
  /** What the endpoints were asked and cost so far, `spent` included. */
  usage(): CaptionUsage;
}

/** Of captions that the source has: who sells a thing may say what it is called. */
const ofNames: readonly CaptionProblemCode[] = ["invented-name", "quoted-text", "brand-detail"];

/**
 * Writes the captions of an ad and checks them; see `CaptionSettings`. Captions that pass are kept, the rest is asked for again with the reasons; an ad for which
 * too few pass is rejected with the reasons `caption-…`. An endpoint that is down or answers nonsense is a failure of the item, to be tried again, and never a
 * reason to take the next writer.
 *
 * Rates and budgets hold for one stage object: use one for all workers.
 *
 * @throws DatasetError `invalid-config`; when running: `network` and `endpoint` of endpoints, `budget`, `storage`
 */
export function captionStage(settings: CaptionSettings = {}, tools: CaptionTools = {}): CaptionStage {
  const checked = checkCaptionSettings(settings);
  const budget = new Budget(checked.budget, tools.spent ?? noUsage);
  const chat = new Chat({
    endpoints: checked.endpoints,
    spread: checked.spread,
    retry: checked.retry,
    budget,
    clock: tools.clock ?? systemClock,
    environment: tools.environment ?? process.env,
  });
  return {
    name: "caption",
    needs: ["ingest", "extract"],
    settings: whatRowsDependOn(settings, checked),
    usage: () => budget.spent,
    run: (item, context) => captionItem(item, { settings: checked, chat, tools, context }),
  };
}

/** Addresses, keys, rates and budgets may change without a caption being written anew. */
function whatRowsDependOn(settings: CaptionSettings, checked: CheckedCaptionSettings): Json {
  const { endpoints, retry, budget, spread, wordsOf, ...kept } = checked;
  const asked = kept.writers.includes("endpoint");
  const { style, showSource, temperature, maxPixels, jpegQuality, rounds, trustVisibleText, ...always } = kept;
  const models = endpoints.map(({ model, parameters, format }) => ({ model, parameters, format }));
  const text = JSON.stringify({
    ...always,
    categories: settings.categories ?? {},
    ...(asked && { style, showSource, temperature, maxPixels, jpegQuality, rounds, trustVisibleText, models }),
  });
  return JSON.parse(text) as Json;
}

interface Work {
  readonly settings: CheckedCaptionSettings;
  readonly chat: Chat;
  readonly tools: CaptionTools;
  readonly context: StageContext;
}

/** Captions so far, and what was wrong with those that were not taken. */
interface Progress {
  readonly captions: readonly string[];
  readonly problems: readonly CaptionProblem[];
  readonly writer?: string;
  readonly attempts: number;
}

async function captionItem(item: Item, work: Work): Promise<StageOutcome<CaptionRow>> {
  const { settings, context } = work;
  const { ingest } = item.rows;
  if (!ingest) throw new DatasetError("invalid-config", `captionStage: expected item ${item.key} with a row of ingest, got none`);
  const draw = random(settings.seed, item.key, "caption");
  let captions: readonly string[] = [];
  let problems: readonly CaptionProblem[] = [];
  const writers: string[] = [];
  let attempts = 0;
  for (const writer of settings.writers) {
    if (captions.length === settings.count) break;
    context.signal?.throwIfAborted();
    const step = await write(writer, item, captions, draw.fork(writer), work);
    if (step.captions.length > captions.length) writers.push(step.writer ?? writer);
    captions = step.captions;
    problems = step.problems;
    attempts += step.attempts;
  }
  if (captions.length === settings.count) return { outcome: "done", row: { captions, writer: writers.join("+"), attempts: Math.max(1, attempts) } };
  return { outcome: "rejected", reasons: rejections(problems, captions.length, settings.count) };
}

async function write(writer: CaptionWriter, item: Item, earlier: readonly string[], draw: Random, work: Work): Promise<Progress> {
  const { settings } = work;
  const { category, captions: given = [] } = item.rows.ingest!;
  if (writer === "source") {
    const texts = given.map((caption) => caption.trim()).filter((caption) => caption !== "");
    return { ...(await admit(earlier, texts, item, work, { categoryIn: "any", ignore: [...settings.ignore, ...ofNames] })), attempts: 0 };
  }
  if (writer === "endpoint") return askModel(item, earlier, draw, work);
  if (category === undefined)
    return { captions: earlier, problems: [{ code: "category-missing", message: "a template needs a category" }], attempts: 0 };
  const { ad, mask } = await picturesOf(item, work.context);
  const texts = templateCaptions(settings.wordsOf(category).phrase, pictureFacts(ad, mask), settings.count * 2, draw);
  return { ...(await admit(earlier, texts, item, work)), attempts: 0 };
}

async function askModel(item: Item, earlier: readonly string[], draw: Random, { settings, chat, tools, context }: Work): Promise<Progress> {
  const { category, captions: given = [] } = item.rows.ingest!;
  const { ad, mask } = await picturesOf(item, context);
  const picture = await sentPicture(ad, { maxPixels: settings.maxPixels, quality: settings.jpegQuality });
  const facts = {
    category,
    words: category === undefined ? [] : settings.wordsOf(category).accepted,
    count: settings.count,
    language: settings.language,
    style: settings.style,
    box: mask && pictureFacts(ad, mask).box,
    shopText: settings.showSource ? given.slice(0, 8) : [],
    allowedNames: settings.allowedNames,
  };
  const room = settings.count * (settings.maxTokens + 30) + 200;
  let captions = earlier;
  let problems: readonly CaptionProblem[] = [];
  let unusable: string | undefined;
  let writer: string | undefined;
  for (let round = 1; round <= settings.rounds; round++) {
    const messages = captionMessages(picture.dataUrl, facts, unusable ?? problems);
    const answer = await chat.ask({
      messages,
      fields: { temperature: settings.temperature, seed: draw.fork("seed", round).integer(0, 2 ** 31 - 1), max_tokens: room },
      schema: { name: "captions", schema: answerSchema(settings.count) },
      // A token has three bytes or more in most prompts; the picture itself is counted by its pixels.
      tokens: { input: picture.tokens + Math.ceil((JSON.stringify(messages).length - picture.dataUrl.length) / 3), output: room },
      random: draw.fork("wait", round),
      signal: context.signal,
    });
    const parsed = parseAnswer(answer.content, answer.cut);
    if ("problem" in parsed) {
      unusable = parsed.problem;
      continue;
    }
    unusable = undefined;
    writer = answer.model;
    const seen = settings.trustVisibleText ? parsed.visibleText : [];
    const step = await admit(captions, parsed.captions, item, { settings, chat, tools, context }, {}, seen);
    captions = step.captions;
    problems = step.problems;
    if (captions.length === settings.count) return { captions, problems, writer, attempts: round };
  }
  if (writer === undefined)
    throw new DatasetError("endpoint", `captions: item ${item.key}: the answer ${unusable} in ${settings.rounds} rounds`, { retryable: true });
  return { captions, problems, writer, attempts: settings.rounds };
}

/** Adds those of the new captions that pass, as many as there is room for. */
async function admit(
  earlier: readonly string[],
  texts: readonly string[],
  item: Item,
  { settings, tools }: Work,
  relaxed: Pick<CaptionContext, "categoryIn" | "ignore"> = {},
  visible: readonly string[] = [],
): Promise<{ readonly captions: readonly string[]; readonly problems: readonly CaptionProblem[] }> {
  const { category } = item.rows.ingest!;
  const { captions: checked } = await checkCaptions([...earlier, ...texts], {
    language: settings.language,
    maxTokens: settings.maxTokens,
    ...(tools.countTokens && { countTokens: tools.countTokens }),
    ...(category !== undefined && { category: settings.wordsOf(category) }),
    categoryIn: settings.categoryIn,
    allowedNames: settings.allowedNames,
    visibleText: [...(tools.visibleText?.(item) ?? []), ...visible],
    ignore: settings.ignore,
    ...relaxed,
  });
  const fresh = checked.slice(earlier.length);
  const good = fresh.filter(({ problems }) => problems.length === 0).map(({ text }) => text);
  const captions = [...earlier, ...good].slice(0, settings.count);
  const bad = fresh.flatMap(({ problems }) => problems).map((problem) => ({ ...problem, caption: problem.caption! - earlier.length }));
  const missing: CaptionProblem = { code: "count", message: `gave ${good.length} usable captions; ${settings.count - earlier.length} were wanted` };
  return { captions, problems: captions.length === settings.count ? [] : [...bad, ...(bad.length === 0 ? [missing] : [])] };
}

async function picturesOf(item: Item, { files, signal }: StageContext): Promise<{ readonly ad: Image; readonly mask: Image | undefined }> {
  const { ingest, extract } = item.rows;
  const options = signal ? { signal } : {};
  const ad = await decodeImage(await files.get(ingest!.picture), options);
  const stored = extract?.mask ?? ingest!.mask;
  const mask = stored && (await decodeImage(await files.get(stored), options));
  // A mask of another size is no mask of this picture.
  return { ad, mask: mask?.width === ad.width && mask.height === ad.height ? mask : undefined };
}

/** One reason for each kind of problem, the first of its kind in words. */
function rejections(problems: readonly CaptionProblem[], got: number, count: number): Rejection[] {
  const byCode = new Map<string, Rejection>();
  for (const { code, message, caption } of problems) {
    if (byCode.has(code)) continue;
    byCode.set(code, { code: `caption-${code}`, message: caption === undefined ? message : `caption ${caption + 1} ${message}` });
  }
  if (byCode.size === 0) byCode.set("count", { code: "caption-count", message: `expected ${count} captions, got ${got}` });
  return [...byCode.values()];
}
