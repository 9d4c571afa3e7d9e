import { ArgumentError } from "@refadgen/errors";
import type { SplatScene } from "../splats/scene.js";
import { writeSplats } from "../splats/write.js";
import { type Framing, frameScene } from "./framing.js";

export interface ViewerOptions {
  /** Title of the page; default "Splats". */
  readonly title?: string;
  /** Default white. */
  readonly background?: readonly [number, number, number];
  /** `compressed-ply`: 16 bytes a splat (the default); `ply`: exact. */
  readonly precision?: "compressed-ply" | "ply";
  /** Vertical field of view in degrees; default 35. */
  readonly fieldOfView?: number;
  /** Default: what `frameScene` finds. */
  readonly framing?: Framing;
}

/** What is used of @playcanvas/supersplat-viewer. */
interface ViewerPackage {
  readonly renderViewerHtml: (options: {
    readonly bootstrap: { readonly contentUrl: string; readonly contentFilename: string; readonly settings: unknown };
    readonly backgroundColor: readonly [number, number, number];
    readonly headExtras: string;
    readonly inlineCss: boolean;
    readonly inlineJs: boolean;
  }) => string;
}

/**
 * One HTML file that shows a scene in any browser with WebGL 2, to be turned and zoomed: viewer and splats inside, nothing is fetched, so that it
 * also opens from a disk.
 *
 * Needs the optional package `@playcanvas/supersplat-viewer`.
 *
 * @throws ArgumentError if that package is not installed, or for a scene without visible splats.
 */
export async function viewerHtml(scene: SplatScene, options: ViewerOptions = {}): Promise<string> {
  const { title = "Splats", background = [1, 1, 1], precision = "compressed-ply", fieldOfView = 35 } = options;
  if (background.length !== 3 || !background.every((part) => part >= 0 && part <= 1)) {
    throw new ArgumentError(`viewerHtml: expected a background of three numbers of 0 to 1, got ${background.join(", ")}`);
  }
  if (!(fieldOfView >= 10 && fieldOfView <= 120))
    throw new ArgumentError(`viewerHtml: expected a fieldOfView of 10 to 120 degrees, got ${fieldOfView}`);
  if (precision !== "compressed-ply" && precision !== "ply") {
    throw new ArgumentError(`viewerHtml: expected the precision compressed-ply or ply, got ${String(precision)}`);
  }
  const { renderViewerHtml } = await loadViewer();
  const { target, radius } = options.framing ?? frameScene(scene);
  const bytes = await writeSplats(scene, { format: precision });
  const distance = radius / Math.sin((fieldOfView * Math.PI) / 360);
  const html = renderViewerHtml({
    bootstrap: {
      contentUrl: `data:application/octet-stream;base64,${Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength).toString("base64")}`,
      contentFilename: precision === "ply" ? "scene.ply" : "scene.compressed.ply",
      // The viewer turns splats half a round about z, to stand upright where y points up.
      settings: settings([-target[0], -target[1], target[2]], distance, background, fieldOfView),
    },
    backgroundColor: background,
    headExtras: `<title>${escapeHtml(title)}</title>`,
    inlineCss: true,
    inlineJs: true,
  });
  // A page has one title.
  return html.replace(/<title>[^<]*<\/title>/, (own) => (own.includes(escapeHtml(title)) ? own : ""));
}

async function loadViewer(): Promise<ViewerPackage> {
  try {
    return (await import("@playcanvas/supersplat-viewer")) as ViewerPackage;
  } catch (error) {
    if (Reflect.get(Object(error), "code") !== "ERR_MODULE_NOT_FOUND") throw error;
    throw new ArgumentError("viewerHtml: expected the package @playcanvas/supersplat-viewer, got none; npm install @playcanvas/supersplat-viewer", {
      cause: error,
    });
  }
}

function settings(target: readonly number[], distance: number, color: readonly number[], fov: number): unknown {
  const position = [target[0], target[1]! + distance * Math.sin(0.17), target[2]! - distance * Math.cos(0.17)];
  const off = { enabled: false };
  return {
    version: 2,
    tonemapping: "none",
    highPrecisionRendering: false,
    background: { color },
    postEffectSettings: {
      sharpness: { ...off, amount: 0 },
      bloom: { ...off, intensity: 1, blurLevel: 2 },
      grading: { ...off, brightness: 1, contrast: 1, saturation: 1, tint: [1, 1, 1] },
      vignette: { ...off, intensity: 0.5, inner: 0.3, outer: 0.75, curvature: 1 },
      fringing: { ...off, intensity: 0.5 },
    },
    animTracks: [],
    cameras: [{ initial: { position, target, fov } }],
    annotations: [],
    startMode: "default",
  };
}

function escapeHtml(text: string): string {
  return text.replaceAll("&", "&amp;").replaceAll("<", "&lt;").replaceAll(">", "&gt;").replaceAll('"', "&quot;");
}
