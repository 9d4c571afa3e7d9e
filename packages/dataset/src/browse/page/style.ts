import { baseStyle } from "../../report/html/style.js";

export const browseStyle: string = `${baseStyle}
body{padding-bottom:76px}
header,.filters,main,.error{max-width:1280px;margin:0 auto;padding:0 20px}
header{display:grid;grid-template-columns:1fr auto;gap:4px 20px;align-items:baseline;padding-top:14px}
h1{font-size:1.25rem;margin:0}
.counts{margin:0;font-size:.9375rem}
.progress{grid-column:1/-1;display:flex;height:6px;border-radius:3px;overflow:hidden;background:var(--line)}
.progress i{height:100%;width:0}
.progress .accepted{background:var(--good)}
.progress .rejected{background:var(--bad)}
.filters{padding-top:6px}
.filters summary{cursor:pointer;padding:6px 0;font-weight:600;font-size:.9375rem}
.fields{display:flex;flex-wrap:wrap;gap:8px 14px;align-items:end;padding:4px 0 10px}
.fields label{display:grid;font-size:.75rem;color:var(--soft);gap:2px}
.fields select{max-width:220px}
.fields input{width:100px}
.error{margin-top:8px;color:var(--bad);background:var(--bad-back);padding:8px 20px;border-radius:6px}
main{display:grid;grid-template-columns:minmax(0,1fr) 264px;gap:20px;align-items:start;padding-top:8px}
.title{display:flex;flex-wrap:wrap;gap:4px 12px;align-items:baseline;margin-bottom:8px}
h2{font-size:1.125rem;margin:0;padding:0;border:0;overflow-wrap:anywhere}
.badge{font-size:.8125rem;font-weight:600;padding:1px 10px;border-radius:999px;border:1px solid currentColor;color:var(--soft)}
.badge.accepted{color:var(--good);background:var(--good-back)}
.badge.rejected{color:var(--bad);background:var(--bad-back)}
.pictures{display:grid;grid-template-columns:repeat(2,minmax(0,1fr));gap:12px}
figure{margin:0;min-width:0}
figcaption{font-size:.8125rem;color:var(--soft);margin-top:4px;display:flex;gap:8px;align-items:center;min-height:34px}
.zoomable{position:relative;display:block;width:100%;padding:0;border:0;background:none;border-radius:6px;cursor:zoom-in;line-height:0}
.pictures img{display:block;width:100%;height:auto;max-height:62vh;object-fit:contain;border-radius:6px;border:1px solid var(--line);background:repeating-conic-gradient(#b9b6ae 0 25%,#d3d0c9 0 50%) 0 0/14px 14px}
img.mask{position:absolute;inset:0;height:100%!important;mix-blend-mode:multiply;opacity:.78;background:none!important;border-color:transparent!important;pointer-events:none}
#toggle-mask[aria-pressed=true]{border-color:var(--mark);color:var(--mark)}
kbd{font:.8em ui-monospace,Menlo,Consolas,"DejaVu Sans Mono",monospace;border:1px solid var(--line);border-bottom-width:2px;border-radius:4px;padding:0 5px;color:var(--soft)}
.variants{display:grid;grid-template-columns:repeat(auto-fill,minmax(84px,110px));gap:8px;list-style:none;margin:8px 0 0;padding:0}
.variants img{display:block;width:100%;height:auto;border:1px solid var(--line);border-radius:4px;background:#fff}
.variants span{font-size:.75rem;color:var(--soft)}
.reasons{list-style:none;margin:10px 0 0;padding:0;display:grid;gap:6px}
.reasons:empty{display:none}
.reasons li{padding:6px 12px;border-left:4px solid var(--note);background:var(--note-back);border-radius:4px;font-size:.875rem;overflow-wrap:anywhere}
.captions{margin:12px 0 0;padding-left:1.4em}
.captions li{margin-bottom:4px;overflow-wrap:anywhere}
.scores{display:grid;grid-template-columns:repeat(auto-fill,minmax(150px,1fr));gap:4px 16px;margin:12px 0 0;font-size:.875rem}
.scores div{display:flex;justify-content:space-between;gap:8px;border-bottom:1px solid var(--line);padding:2px 0;min-width:0}
.scores dt{color:var(--soft);overflow-wrap:anywhere}
.scores dd{margin:0}
.list{position:sticky;top:8px}
.list ul{display:grid;grid-template-columns:repeat(3,minmax(0,1fr));gap:6px;list-style:none;margin:0;padding:2px;max-height:calc(100vh - 160px);overflow-y:auto}
.list li button{position:relative;display:block;width:100%;padding:0;min-height:0;border:2px solid transparent;border-radius:6px;overflow:hidden;line-height:0;background:var(--line)}
.list img{width:100%;aspect-ratio:4/5;object-fit:cover;color:transparent}
.list [aria-current=true]{border-color:var(--mark)!important;box-shadow:0 0 0 1px var(--mark)}
.list .accepted::after,.list .rejected::after{position:absolute;right:3px;top:3px;width:18px;height:18px;border-radius:50%;font:700 12px/18px system-ui,sans-serif;text-align:center;color:#fff}
.list .accepted::after{content:"✓";background:#1d6b3a}
.list .rejected::after{content:"✗";background:#a3211b}
.list .rejected img{opacity:.45}
.pager{display:flex;justify-content:space-between;align-items:center;gap:8px;margin-top:8px}
.actions{position:fixed;left:0;right:0;bottom:0;z-index:2;display:flex;justify-content:center;gap:8px;padding:10px max(12px,env(safe-area-inset-left));padding-bottom:max(10px,env(safe-area-inset-bottom));background:color-mix(in srgb,var(--paper) 94%,transparent);border-top:1px solid var(--line)}
.actions button{min-height:44px;min-width:84px;padding:4px 14px;font-size:.9375rem;font-weight:600}
.actions .yes{color:var(--good);border-color:var(--good);background:var(--good-back)}
.actions .no{color:var(--bad);border-color:var(--bad);background:var(--bad-back)}
dialog{color:var(--ink);background:var(--paper);border:1px solid var(--line);border-radius:10px;padding:14px;max-width:96vw;max-height:96vh}
dialog::backdrop{background:rgb(0 0 0/.6)}
dialog p{margin:10px 0 0;text-align:right}
dialog dl{display:grid;grid-template-columns:auto 1fr;gap:6px 16px;margin:12px 0 0}
dialog dd{margin:0}
.large{position:relative;overflow:auto;max-height:calc(96vh - 90px);line-height:0}
.large img{display:block;width:min(92vw,calc((96vh - 100px)*var(--shape,0.8)));height:auto;max-width:none}
.large img.mask{width:100%}
.large.whole img:not(.mask){width:auto;image-rendering:pixelated}
.large.whole{width:max-content;max-width:92vw}
.empty{padding:40px 0;text-align:center}
@media (max-width:760px){
header,.filters,main{padding-left:14px;padding-right:14px}
main{grid-template-columns:minmax(0,1fr);gap:12px}
.list{position:static;order:-1}
.list ul{display:flex;overflow-x:auto;max-height:none;gap:4px}
.list li{flex:0 0 52px}
.pager{margin-top:2px}
.pictures img{max-height:46vh}
.actions{gap:6px;padding-left:8px;padding-right:8px}
.actions button{min-width:0;flex:1;padding:4px 2px;font-size:.875rem}
.actions kbd,#help{display:none}
.fields select{max-width:46vw}
}
@media print{.actions,.list,.filters{display:none}body{padding:0}main{display:block}}
`;
