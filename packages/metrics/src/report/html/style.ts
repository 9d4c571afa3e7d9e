/** The report's style sheet: light and dark, phone and desk, screen and paper. No font or picture is fetched. */
export const style = `
:root{color-scheme:light dark;--paper:#faf9f6;--card:#fff;--ink:#1c1b19;--soft:#5d5a53;--line:#dedbd3;--mark:#2f5d8a;--bar:#8fb0cf;
--good:#1d6b3a;--good-back:#e3f2e6;--bad:#a3211b;--bad-back:#fbe6e3;--note:#7a5200;--note-back:#fbf0d9}
@media (prefers-color-scheme:dark){:root{--paper:#161513;--card:#201f1c;--ink:#eeece6;--soft:#aeaaa0;--line:#3a3833;--mark:#8fbce8;--bar:#44698c;
--good:#7fd49a;--good-back:#1b3324;--bad:#ff9d93;--bad-back:#43201c;--note:#f0c878;--note-back:#3a2e16}}
*{box-sizing:border-box}
html{-webkit-text-size-adjust:100%}
body{margin:0;background:var(--paper);color:var(--ink);font:16px/1.5 system-ui,-apple-system,"Segoe UI",Roboto,"Helvetica Neue",Arial,"DejaVu Sans",sans-serif}
main{max-width:1080px;margin:0 auto;padding:24px 20px 64px}
h1{font-size:1.6rem;line-height:1.25;margin:0 0 4px;overflow-wrap:anywhere}
h2{font-size:1.2rem;margin:40px 0 12px;padding-top:12px;border-top:1px solid var(--line)}
h3{font-size:1rem;margin:24px 0 8px}
p{margin:0 0 8px}
.soft{color:var(--soft)}
.small{font-size:.875rem}
.num{font-variant-numeric:tabular-nums;white-space:nowrap}
.verdict{display:inline-block;padding:2px 12px;border-radius:999px;font-weight:600;margin:0 0 12px}
.passed{color:var(--good);background:var(--good-back)}
.failed{color:var(--bad);background:var(--bad-back)}
.measured{color:var(--mark);border:1px solid currentColor}
.tag{display:inline-block;padding:0 8px;border-radius:6px;font-size:.875rem;font-weight:600;white-space:nowrap}
.better{color:var(--good)}.worse{color:var(--bad)}
ul.alerts,ul.notes{list-style:none;margin:16px 0;padding:0;display:grid;gap:8px}
ul.alerts li{padding:8px 12px;border-left:4px solid var(--bad);background:var(--bad-back);border-radius:4px;overflow-wrap:anywhere}
ul.notes li{padding:8px 12px;border-left:4px solid var(--note);background:var(--note-back);border-radius:4px;overflow-wrap:anywhere}
table{border-collapse:collapse;width:100%;font-size:.9375rem}
caption{text-align:left;color:var(--soft);font-size:.875rem;padding-bottom:8px}
th,td{text-align:left;padding:8px 10px 8px 0;border-bottom:1px solid var(--line);vertical-align:middle}
thead th{font-size:.8125rem;color:var(--soft);font-weight:600;white-space:nowrap}
td.right,th.right{text-align:right}
tbody th{font-weight:600}
.scroll tbody th{min-width:9em}
table.cards th{white-space:nowrap}
p .num{white-space:normal}
.value{font-size:1.125rem;font-weight:650}
.scroll{overflow-x:auto}
code{font:.875em ui-monospace,SFMono-Regular,Menlo,Consolas,"DejaVu Sans Mono",monospace;overflow-wrap:anywhere}
svg{display:block;max-width:100%}
.spark{width:88px;height:28px}
.spark polyline{fill:none;stroke:var(--bar);stroke-width:2}
.spark circle{fill:var(--mark)}
.chart{width:100%;max-width:560px;height:auto;margin:4px 0 12px}
.chart rect{fill:var(--bar)}
.chart line{stroke:var(--mark);stroke-width:2}
.chart text{fill:var(--soft);font-size:12px}
.chart .axis{stroke:var(--line);stroke-width:1}
.pictures{display:grid;grid-template-columns:repeat(auto-fill,minmax(300px,1fr));gap:12px;list-style:none;margin:0;padding:0}
.pictures>li{background:var(--card);border:1px solid var(--line);border-radius:8px;padding:10px;break-inside:avoid}
.triplet{display:grid;grid-auto-flow:column;grid-auto-columns:minmax(0,1fr);gap:6px;align-items:end}
.triplet figure{margin:0;min-width:0}
.triplet img{display:block;width:100%;height:auto;max-height:220px;object-fit:contain;background:repeating-conic-gradient(#b9b6ae 0 25%,#d3d0c9 0 50%) 0 0/12px 12px;border-radius:4px;border:1px solid var(--line)}
.triplet figcaption{font-size:.75rem;color:var(--soft);margin-top:2px;overflow-wrap:anywhere}
.about{display:flex;gap:10px;align-items:baseline;justify-content:space-between;margin-top:6px}
.about .name{overflow-wrap:anywhere;font-size:.875rem}
.prompt{font-size:.875rem;color:var(--soft);margin:2px 0 0;overflow-wrap:anywhere}
.absent{font-size:.8125rem;color:var(--soft);border:1px dashed var(--line);border-radius:4px;padding:16px 4px;text-align:center}
nav{display:flex;flex-wrap:wrap;gap:4px 14px;margin:16px 0 0;font-size:.9375rem}
a{color:var(--mark)}
a:focus-visible,summary:focus-visible{outline:2px solid var(--mark);outline-offset:2px}
details{margin:8px 0}
summary{cursor:pointer;padding:4px 0;font-weight:600}
details li{overflow-wrap:anywhere}
footer{margin-top:48px;padding-top:12px;border-top:1px solid var(--line);font-size:.875rem;color:var(--soft)}
@media (max-width:640px){
main{padding:16px 14px 48px}
h1{font-size:1.35rem}
table.cards,table.cards tbody,table.cards caption{display:block}
table.cards thead{position:absolute;width:1px;height:1px;overflow:hidden;clip-path:inset(50%)}
table.cards tr{display:grid;grid-template-columns:minmax(0,1fr) minmax(0,1fr);gap:2px 12px;padding:10px 12px;margin-bottom:10px;background:var(--card);border:1px solid var(--line);border-radius:8px}
table.cards th,table.cards td{display:block;border:0;padding:2px 0;text-align:left}
table.cards th{grid-column:1;font-size:1rem;align-self:center}
table.cards td.value{grid-column:2;text-align:right}
table.cards td.wide{grid-column:1/-1}
table.cards td:empty{display:none}
table.cards .num{white-space:normal}
table.cards td[data-label]:not(:empty)::before{content:attr(data-label);display:block;font-size:.75rem;color:var(--soft)}
.pictures{grid-template-columns:1fr}
.triplet img{max-height:260px}
}
@media print{
:root{--paper:#fff;--card:#fff;--ink:#000;--soft:#444;--line:#bbb;--mark:#1f4d7a;--bar:#9db8d2;--good:#14532d;--good-back:#fff;--bad:#8a1a14;--bad-back:#fff;--note:#5c3d00;--note-back:#fff}
@page{margin:14mm}
body{font-size:10.5pt}
main{max-width:none;padding:0 1px}
nav{display:none}
a{color:inherit;text-decoration:none}
h2,h3{break-after:avoid}
tr,.pictures>li,svg{break-inside:avoid}
.pictures{grid-template-columns:repeat(3,1fr);gap:8px}
.triplet img{max-height:120px}
.verdict,.tag{border:1px solid currentColor}
details::details-content{content-visibility:visible;display:block}
img,rect,line,.verdict{print-color-adjust:exact;-webkit-print-color-adjust:exact}
}
`;
