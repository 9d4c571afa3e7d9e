import { html, raw } from "../../report/html/markup.js";
import { hashOf, scriptOf } from "../../report/html/page.js";
import { browseStyle } from "./style.js";

/** The page, and the policy that its script and style comply with. Items come by the script. */
export async function browsePage(title: string): Promise<{ readonly html: string; readonly policy: string }> {
  const script = await scriptOf("./script.js", import.meta.url);
  const policy = `default-src 'none'; img-src 'self' data:; connect-src 'self'; style-src ${hashOf(browseStyle)}; script-src ${hashOf(script)}; base-uri 'none'; form-action 'none'; frame-ancestors 'none'`;
  const select = (id: string, label: string, options: readonly (readonly [string, string])[]) =>
    html`<label>${label} <select id="${id}">${options.map(([value, text]) => html`<option value="${value}">${text}</option>`)}</select></label>`;
  const page = html`<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<title>${title} – browse</title>
<link rel="icon" href="data:,">
<style>${raw(browseStyle)}</style>
</head>
<body>
<header>
<h1>${title}</h1>
<p class="counts num" id="counts" aria-live="polite"></p>
<div class="progress" aria-hidden="true"><i class="accepted" id="bar-accepted"></i><i class="rejected" id="bar-rejected"></i></div>
</header>
<details class="filters" id="filters"><summary>Show <span id="matching" class="soft num"></span></summary>
<div class="fields">
${select("decision", "Decision", [
  ["", "all"],
  ["none", "not decided"],
  ["accepted", "accepted"],
  ["rejected", "rejected"],
])}
${select("category", "Category", [["", "all"]])}
${select("reason", "Left out by the run", [
  ["", "all"],
  ["none", "no: kept"],
])}
${select("score", "Score", [["", "any"]])}
<label>from <input id="least" type="number" step="any" inputmode="decimal"></label>
<label>to <input id="most" type="number" step="any" inputmode="decimal"></label>
${select("order", "Order", [["", "by key"]])}
<button type="button" id="clear">All</button>
</div></details>
<p class="error" id="error" role="alert" hidden></p>
<main>
<section class="view" id="view" aria-label="Item" hidden>
<div class="title"><h2 id="name"></h2><span class="badge" id="badge"></span><span class="soft small num" id="place"></span></div>
<div class="pictures">
<figure class="ad"><button type="button" class="zoomable" id="zoom" aria-label="Enlarge the ad (z)"><img id="ad" alt=""><img id="mask" class="mask" alt="" hidden></button><figcaption>ad <button type="button" id="toggle-mask" aria-pressed="false">mask <kbd>m</kbd></button></figcaption></figure>
<figure class="product"><img id="product" alt=""><figcaption>product</figcaption></figure>
</div>
<ul class="variants" id="variants"></ul>
<ul class="reasons" id="reasons"></ul>
<ol class="captions" id="captions"></ol>
<dl class="scores num" id="scores"></dl>
</section>
<p class="empty soft" id="empty" hidden>Nothing matches.</p>
<nav class="list" aria-label="Items of this page"><ul id="list"></ul><div class="pager"><button type="button" id="page-back">Back</button><span class="soft small num" id="page-place"></span><button type="button" id="page-on">On</button></div></nav>
</main>
<div class="actions" role="toolbar" aria-label="Decisions">
<button type="button" id="back"><span>Back</span> <kbd>k</kbd></button>
<button type="button" id="reject" class="no"><span>Reject</span> <kbd>r</kbd></button>
<button type="button" id="accept" class="yes"><span>Accept</span> <kbd>a</kbd></button>
<button type="button" id="on"><span>Next</span> <kbd>j</kbd></button>
<button type="button" id="undo"><span>Undo</span> <kbd>u</kbd></button>
<button type="button" id="help"><span>Keys</span> <kbd>?</kbd></button>
</div>
<dialog id="large" aria-label="Enlarged ad"><div class="large"><img id="large-ad" alt=""><img id="large-mask" class="mask" alt="" hidden></div><p><button type="button" id="large-scale">1 : 1</button> <button type="button" id="large-close">Close <kbd>z</kbd></button></p></dialog>
<dialog id="keys" aria-labelledby="keys-title"><h2 id="keys-title">Keys</h2>
<dl>${[
    ["j, →, ↓", "next"],
    ["k, ←, ↑", "back"],
    ["a", "accept and go on"],
    ["r", "reject and go on"],
    ["x", "take the decision back"],
    ["u", "undo the last decision"],
    ["m", "mask over the ad"],
    ["z", "enlarge; Esc closes"],
    ["f", "filters"],
    ["g, G", "first and last of the page"],
  ].map(([key, text]) => html`<dt><kbd>${key}</kbd></dt><dd>${text}</dd>`)}</dl>
<p><button type="button" id="keys-close">Close</button></p></dialog>
<script type="module">${raw(script)}</script>
</body>
</html>
`;
  return { html: page.text, policy };
}
