/** Draws assets/product.png, the picture of the demo: a perfume bottle on a plain background. `node assets/make-product.mjs` */
import { createRequire } from "node:module";
import { fileURLToPath } from "node:url";

const sharp = createRequire(new URL("../packages/image/package.json", import.meta.url))("sharp");

const drawing = `<svg xmlns="http://www.w3.org/2000/svg" width="480" height="600" viewBox="0 0 480 600">
  <defs>
    <linearGradient id="glass" x1="0" x2="1"><stop offset="0" stop-color="#b86a2f"/><stop offset=".18" stop-color="#f3b56b"/>
      <stop offset=".5" stop-color="#e0924a"/><stop offset=".85" stop-color="#b4622a"/><stop offset="1" stop-color="#7c3f18"/></linearGradient>
    <linearGradient id="cap" x1="0" x2="1"><stop offset="0" stop-color="#1d2026"/><stop offset=".25" stop-color="#6b7380"/>
      <stop offset=".5" stop-color="#2a2e36"/><stop offset="1" stop-color="#0e1014"/></linearGradient>
    <linearGradient id="gold" x1="0" x2="1"><stop offset="0" stop-color="#8f6b22"/><stop offset=".4" stop-color="#f7e2a0"/><stop offset="1" stop-color="#8a651d"/></linearGradient>
  </defs>
  <rect width="480" height="600" fill="#ffffff"/>
  <rect x="178" y="60" width="124" height="112" rx="8" fill="url(#cap)"/>
  <rect x="170" y="166" width="140" height="20" rx="4" fill="url(#gold)"/>
  <path d="M186 186h108v22c0 12 66 20 66 62v236c0 26-16 42-42 42H162c-26 0-42-16-42-42V270c0-42 66-50 66-62z" fill="url(#glass)"/>
  <path d="M140 286c0-24 34-34 50-44l-6 250c-20 0-44-6-44-26z" fill="#ffffff" opacity=".22"/>
  <rect x="158" y="308" width="164" height="172" rx="6" fill="#fbf5e6"/>
  <rect x="166" y="316" width="148" height="156" rx="3" fill="none" stroke="#b08a3c" stroke-width="2"/>
  <g fill="none" stroke="#7a4a1e" stroke-width="5"><circle cx="240" cy="362" r="26"/><path d="M240 336v52M222 349l36 26M258 349l-36 26"/></g>
  <text x="240" y="424" text-anchor="middle" font-family="Georgia, 'DejaVu Serif', serif" font-size="26" letter-spacing="4" fill="#4a2c12">AMBRE</text>
  <text x="240" y="452" text-anchor="middle" font-family="Georgia, 'DejaVu Serif', serif" font-size="11" letter-spacing="2" fill="#7a5a34">EAU DE PARFUM</text>
</svg>`;

const target = fileURLToPath(new URL("product.png", import.meta.url));
await sharp(Buffer.from(drawing)).png({ compressionLevel: 9, palette: true, colours: 256 }).toFile(target);
console.log(target);
