/** Colours, type and tables of this package's pages, as in `@refadgen/metrics`: light and dark, phone and desk, screen and paper. */
export const baseStyle = `
:root{color-scheme:light dark;--paper:#faf9f6;--card:#fff;--ink:#1c1b19;--soft:#5d5a53;--line:#dedbd3;--mark:#2f5d8a;--bar:#8fb0cf;
--good:#1d6b3a;--good-back:#e3f2e6;--bad:#a3211b;--bad-back:#fbe6e3;--note:#7a5200;--note-back:#fbf0d9}
@media (prefers-color-scheme:dark){:root{--paper:#161513;--card:#201f1c;--ink:#eeece6;--soft:#aeaaa0;--line:#3a3833;--mark:#8fbce8;--bar:#44698c;
--good:#7fd49a;--good-back:#1b3324;--bad:#ff9d93;--bad-back:#43201c;--note:#f0c878;--note-back:#3a2e16}}
*{box-sizing:border-box}
html{-webkit-text-size-adjust:100%;scroll-padding-top:64px}
body{margin:0;background:var(--paper);color:var(--ink);font:16px/1.5 system-ui,-apple-system,"Segoe UI",Roboto,"Helvetica Neue",Arial,"DejaVu Sans",sans-serif}
h1{font-size:1.6rem;line-height:1.25;margin:0 0 4px;overflow-wrap:anywhere}
h2{font-size:1.2rem;margin:40px 0 12px;padding-top:12px;border-top:1px solid var(--line)}
h3{font-size:1rem;margin:20px 0 8px;overflow-wrap:anywhere}
p{margin:0 0 8px;overflow-wrap:anywhere}
[hidden]{display:none!important}
.soft{color:var(--soft)}
.small{font-size:.875rem}
.num{font-variant-numeric:tabular-nums}
.good{color:var(--good)}.bad{color:var(--bad)}
code,pre{font:.875em ui-monospace,SFMono-Regular,Menlo,Consolas,"DejaVu Sans Mono",monospace;overflow-wrap:anywhere}
pre{background:var(--card);border:1px solid var(--line);border-radius:8px;padding:10px;margin:8px 0;white-space:pre-wrap}
button,select,input:not([type=range]):not([type=checkbox]){font:inherit;font-size:.875rem;color:var(--ink);background:var(--card);border:1px solid var(--line);border-radius:6px;padding:4px 12px;min-height:32px}
button{cursor:pointer}
button:hover:not(:disabled){border-color:var(--mark)}
button:disabled{color:var(--soft);cursor:default}
a{color:var(--mark)}
a:focus-visible,summary:focus-visible,button:focus-visible,select:focus-visible,input:focus-visible,[tabindex]:focus-visible{outline:2px solid var(--mark);outline-offset:2px}
`;

export const reportStyle: string = `${baseStyle}
main{max-width:1080px;margin:0 auto;padding:24px 20px 64px}
.lead{font-size:1.125rem;margin:8px 0 12px}
.lead strong{font-size:1.5rem;font-weight:650}
nav{display:flex;flex-wrap:wrap;gap:4px 14px;margin:16px 0 0;font-size:.9375rem}
ul.notes{list-style:none;margin:16px 0;padding:0;display:grid;gap:8px}
ul.notes li{padding:8px 12px;border-left:4px solid var(--note);background:var(--note-back);border-radius:4px;overflow-wrap:anywhere}
table{border-collapse:collapse;width:100%;font-size:.9375rem}
caption{text-align:left;color:var(--soft);font-size:.875rem;padding-bottom:8px}
th,td{text-align:left;padding:7px 12px 7px 0;border-bottom:1px solid var(--line);vertical-align:middle}
thead th{font-size:.8125rem;color:var(--soft);font-weight:600;vertical-align:bottom}
tbody th{font-weight:600}
td.right,th.right{text-align:right;font-variant-numeric:tabular-nums;white-space:nowrap}
td.wide{width:34%;min-width:120px}
.scroll{overflow-x:auto}
.meter{display:flex;height:14px;border-radius:4px;overflow:hidden;background:color-mix(in srgb,var(--line) 55%,transparent)}
.meter i{display:block;height:100%}
.meter .done{background:var(--bar)}
.meter .rejected{background:color-mix(in srgb,var(--note) 60%,var(--card))}
.meter .failed{background:var(--bad)}
.pair{display:grid;gap:2px}
.pair .meter{height:7px;border-radius:3px}
.pair .paper{background:color-mix(in srgb,var(--soft) 55%,var(--card))}
.key{display:flex;flex-wrap:wrap;gap:4px 16px;font-size:.875rem;color:var(--soft);margin:0 0 8px;padding:0;list-style:none}
.key i{display:inline-block;width:10px;height:10px;border-radius:2px;margin-right:6px}
.key .done{background:var(--bar)}.key .rejected{background:color-mix(in srgb,var(--note) 60%,var(--card))}.key .failed{background:var(--bad)}
.key .paper{background:color-mix(in srgb,var(--soft) 55%,var(--card))}
.card{background:var(--card);border:1px solid var(--line);border-radius:8px;padding:12px;break-inside:avoid;min-width:0}
.card h3{margin:0}
.reasons,.groups{display:grid;gap:12px}
.head{display:flex;flex-wrap:wrap;gap:2px 12px;align-items:baseline;justify-content:space-between}
.thumbs{display:grid;grid-template-columns:repeat(auto-fill,minmax(104px,1fr));gap:8px;list-style:none;margin:10px 0 0;padding:0}
.thumbs figure,.triplet figure{margin:0;min-width:0}
.thumbs img,.triplet img{display:block;width:100%;height:auto;object-fit:contain;border-radius:4px;border:1px solid var(--line);background:repeating-conic-gradient(#b9b6ae 0 25%,#d3d0c9 0 50%) 0 0/12px 12px}
.thumbs img{aspect-ratio:4/5}
figcaption{font-size:.75rem;color:var(--soft);margin-top:2px;overflow-wrap:anywhere;line-height:1.35}
.absent{display:grid;place-items:center;aspect-ratio:4/5;font-size:.75rem;color:var(--soft);border:1px dashed var(--line);border-radius:4px;padding:4px;text-align:center}
.scores{display:grid;grid-template-columns:repeat(auto-fill,minmax(min(100%,330px),1fr));gap:12px}
.plot{margin:10px 9px 0}
.plot svg{display:block;width:100%;height:84px;overflow:visible}
.plot .bars{fill:var(--bar)}
.plot .shade{fill:var(--bad);opacity:.16}
.plot .line{stroke:var(--bad);stroke-width:2;vector-effect:non-scaling-stroke}
.plot .line.none{visibility:hidden}
.plot .axis{stroke:var(--line);stroke-width:1;vector-effect:non-scaling-stroke}
.ends{display:flex;justify-content:space-between;font-size:.75rem;color:var(--soft);margin:2px 9px 4px;gap:8px}
.slider{display:grid;grid-template-columns:1fr auto;gap:0 10px;align-items:center;font-size:.875rem}
.slider input{grid-column:1/-1;width:100%;height:26px;margin:0;accent-color:var(--bad);appearance:none;background:none;cursor:pointer}
.slider input::-webkit-slider-runnable-track{height:4px;border-radius:2px;background:var(--line)}
.slider input::-moz-range-track{height:4px;border-radius:2px;background:var(--line)}
.slider input::-webkit-slider-thumb{appearance:none;width:18px;height:18px;border-radius:50%;background:var(--bad);margin-top:-7px;border:2px solid var(--card)}
.slider input::-moz-range-thumb{width:14px;height:14px;border-radius:50%;background:var(--bad);border:2px solid var(--card)}
.whatif{position:sticky;top:0;z-index:1;display:flex;flex-wrap:wrap;gap:4px 14px;align-items:center;background:var(--paper);border-bottom:1px solid var(--line);padding:8px 0;margin-bottom:12px}
.whatif strong{font-size:1.25rem}
.triplets{display:grid;grid-template-columns:repeat(auto-fill,minmax(min(100%,480px),1fr));gap:12px;list-style:none;margin:0;padding:0}
.triplet{display:grid;grid-template-columns:repeat(3,minmax(0,1fr));gap:8px}
.variants{display:grid;grid-template-columns:repeat(5,minmax(0,1fr));gap:6px;margin-top:8px}
.captions{margin:8px 0 0;padding-left:1.3em;font-size:.875rem}
.captions li{overflow-wrap:anywhere;margin-bottom:2px}
details{margin:8px 0}
.columns{columns:4 200px;margin:4px 0;padding:0;list-style:none;font-size:.875rem}
summary{cursor:pointer;padding:4px 0;font-weight:600}
footer{margin-top:48px;padding-top:12px;border-top:1px solid var(--line);font-size:.875rem;color:var(--soft)}
@media (max-width:640px){
main{padding:16px 14px 48px}
h1{font-size:1.35rem}
table.cards,table.cards tbody,table.cards caption{display:block}
table.cards thead{position:absolute;width:1px;height:1px;overflow:hidden;clip-path:inset(50%)}
table.cards tr{display:grid;grid-template-columns:repeat(2,minmax(0,1fr));gap:2px 12px;padding:10px 12px;margin-bottom:10px;background:var(--card);border:1px solid var(--line);border-radius:8px}
table.cards th,table.cards td{display:block;border:0;padding:2px 0;text-align:left;white-space:normal}
table.cards tbody th{grid-column:1/-1;font-size:1rem}
table.four tr{grid-template-columns:repeat(4,minmax(0,1fr))}
table.cards td.wide{grid-column:1/-1;width:auto}
table.cards td:empty{display:none}
table.cards td[data-label]:not(:empty)::before{content:attr(data-label);display:block;font-size:.75rem;color:var(--soft)}
.thumbs{grid-template-columns:repeat(auto-fill,minmax(84px,1fr))}
.slider input{height:40px}
}
@media print{
:root{--paper:#fff;--card:#fff;--ink:#000;--soft:#444;--line:#bbb;--mark:#1f4d7a;--bar:#9db8d2;--good:#14532d;--bad:#8a1a14;--bad-back:#fff;--note:#5c3d00;--note-back:#fff}
@page{margin:14mm}
body{font-size:10.5pt}
main{max-width:none;padding:0 1px}
nav,button,.slider input{display:none}
.whatif{position:static}
a{color:inherit;text-decoration:none}
h2,h3{break-after:avoid}
tr,.card,svg{break-inside:avoid}
.scores{grid-template-columns:repeat(3,1fr);gap:8px}
.triplets{grid-template-columns:repeat(3,1fr);gap:8px}
.captions{font-size:8pt}
h2{margin-top:20px}
.thumbs{grid-template-columns:repeat(8,1fr)}
details::details-content{content-visibility:visible;display:block}
img,rect,line,.meter,.meter i,.key i{print-color-adjust:exact;-webkit-print-color-adjust:exact}
}
`;
