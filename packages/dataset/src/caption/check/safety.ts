import type { Finding } from "./problem.js";

/** Controls, direction and zero-width marks, private use, tags and half characters: what a reader does not see, or sees elsewhere. */
const unseen = /[\p{Cc}\p{Cf}\p{Co}\p{Cs}\p{Cn}\p{Zl}\p{Zp}]/u;

/** Joiners are part of the spelling in these scripts. */
const joiners =
  /(?<=[\p{Script=Arabic}\p{Script=Devanagari}\p{Script=Bengali}\p{Script=Malayalam}\p{Script=Kannada}\p{Script=Telugu}])[\u200c\u200d]/gu;

const markup: readonly RegExp[] = [
  /<\s*[a-z!/?%]/i,
  /&(?:[a-z]{2,8}|#\d+|#x[\da-f]+);/i,
  /<\|.*?\|>/,
  /\]\s*\(/,
  /[`{}\\]/,
  /\*\*|__|~~/,
  /^\s*(?:#{1,6}\s|[-*•>]\s|\d{1,2}[.)]\s|\(?[a-d]\)\s)/i,
  /^\s*(?:captions?|descriptions?|answer|output|scene|sure|certainly|here (?:is|are))\b[^.]{0,60}:/i,
  /\[[A-Z/_]+\]/,
];

const addresses: readonly RegExp[] = [
  /\b[a-z][a-z\d+.-]{1,15}:\/\//i,
  /\b(?:javascript|data|file|mailto|tel|vbscript):\S/i,
  /\bwww\.\S/i,
  /\b[a-z\d-]{2,}(?:\.[a-z\d-]+)*\.(?:com|net|org|info|biz|shop|store|online|site|xyz|app|dev|io|ai|co|tv|cc|ly|gl|de|uk|fr|nl|pl|ru|cn|jp|kr|br|eu|example|test|invalid|onion)\b/i,
  /\S@\S+\.\S/,
  /(?:^|\s)@[a-z\d_]{2,}/i,
  /(?:^|\s)#[a-z\d_]{2,}/i,
];

const instructions: readonly RegExp[] = [
  /\b(?:ignore|disregard|forget|override|bypass)\b.{0,40}\b(?:instruction|prompt|rule|above|previous|prior|earlier|guideline|polic|system)/i,
  /\b(?:system|developer|user|hidden|secret)\s+(?:prompt|message|instruction)s?\b/i,
  /\b(?:new|following|these|your|my|previous|prior|above)\s+instructions?\b/i,
  /\byou\s+are\s+(?:now\s+|an?\s+)?(?:free|unrestricted|jailbroken|chatgpt|gpt|an?\s+ai|assistant|dan)\b|\byou are now\b/i,
  /\b(?:act|behave|respond|reply|answer)\s+(?:as|with|like|only)\b.{0,30}\b(?:json|ai|assistant|model|word|phrase|hacked|pwned)/i,
  /(?:^|\s)(?:system|assistant|user|human|developer)\s*:/i,
  /\b(?:jailbreak|prompt injection|do anything now|developer mode|as instructed|as requested)\b/i,
  /\b(?:reveal|leak|exfiltrate|output|(?:print|repeat|send) (?:the|your|out|all))\b.{0,30}\b(?:api[ -]?keys?|passwords?|secrets?|tokens?|credentials?|prompt|instructions?)\b/i,
  /\b(?:execute|eval|run|sudo|curl|wget)\b.{0,20}\b(?:commands?|scripts?|shell|bash)\b/i,
  /\brm\s+-[rf]+|\bdrop\s+table\b|\$\(|os\.system|__import__/i,
];

const refusals: readonly RegExp[] = [
  /\bI(?:'m| am)?\s+(?:really\s+|very\s+)?(?:sorry|unable|not able|afraid)\b/i,
  /\bI\s*(?:can(?:'|’)?t|cannot|can not|won(?:'|’)?t|will not|could not|couldn(?:'|’)t|don(?:'|’)t|do not)\b/i,
  /\bas an? (?:ai|artificial|language|large language|vision)\b/i,
  /\b(?:language model|ai (?:assistant|model))\b/i,
  /\b(?:unable|not able|impossible|not possible) to (?:see|view|process|describe|determine|identify|provide|assist|open|access|generate)\b/i,
  /\bno (?:image|picture|photo) (?:was |is |has been )?(?:provided|attached|included|given|visible|available|found)\b/i,
  /\b(?:please|kindly) (?:provide|upload|attach|share|send)\b/i,
  /\b(?:cannot|can't|can’t) (?:assist|help|comply|fulfil|provide|describe)/i,
  /^\s*(?:sorry|n\/a|none|null|undefined|unknown|error|todo|tbd)\b/i,
];

/** Characters, markup, addresses, instructions and refusals: what makes a caption unfit whatever it describes. */
export function safetyFindings(caption: string): Finding[] {
  const findings: Finding[] = [];
  const hit = (patterns: readonly RegExp[]) => patterns.some((pattern) => pattern.test(caption));
  if (unseen.test(caption.replace(joiners, "")))
    findings.push({ code: "control-characters", message: "has characters that cannot be seen: line ends, controls or direction marks" });
  if (hit(markup)) findings.push({ code: "markup", message: "has markup, a list number or a label; it must be one plain sentence or two" });
  if (hit(addresses)) findings.push({ code: "address", message: "has a web or mail address, a handle or a hashtag" });
  if (hit(instructions)) findings.push({ code: "instructions", message: "speaks to a model or a program instead of describing the picture" });
  if (hit(refusals)) findings.push({ code: "refusal", message: "is not a description: it refuses or speaks of its writer" });
  return findings;
}
