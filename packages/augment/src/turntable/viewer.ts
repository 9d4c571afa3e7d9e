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
  /** Degrees that the camera goes through until it is taken by hand: 360 (the default) goes round, less swings about the front, 0 stands still. */
  readonly sweep?: number;
  /** Across the longer side of the window, degrees, 10 to 120; default 35. */
  readonly fieldOfView?: number;
  /** Default: what `frameScene` finds. */
  readonly framing?: Framing;
}

/** A browser that offers WebGPU and then has no adapter for it would show nothing; WebGL 2 is everywhere. */
const webGlOnly = '<script>Object.defineProperty(navigator, "gpu", { value: undefined });</script>';

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
  const { title = "Splats", background = [1, 1, 1], precision = "compressed-ply", fieldOfView = 35, sweep = 360 } = options;
  if (background.length !== 3 || !background.every((part) => part >= 0 && part <= 1)) {
    throw new ArgumentError(`viewerHtml: expected a background of three numbers of 0 to 1, got ${background.join(", ")}`);
  }
  if (!(fieldOfView >= 10 && fieldOfView <= 120))
    throw new ArgumentError(`viewerHtml: expected a fieldOfView of 10 to 120 degrees, got ${fieldOfView}`);
  if (!(sweep >= 0 && sweep <= 360)) throw new ArgumentError(`viewerHtml: expected a sweep of 0 to 360 degrees, got ${sweep}`);
  if (precision !== "compressed-ply" && precision !== "ply") {
    throw new ArgumentError(`viewerHtml: expected the precision compressed-ply or ply, got ${String(precision)}`);
  }
  const { renderViewerHtml } = await loadViewer();
  const { target, radius } = options.framing ?? frameScene(scene);
  const bytes = await writeSplats(scene, { format: precision });
  // It should also fit into the shorter side of a common window.
  const distance = radius / Math.sin(Math.atan(Math.tan((fieldOfView * Math.PI) / 360) * shorterSide));
  const html = renderViewerHtml({
    bootstrap: {
      contentUrl: `data:application/octet-stream;base64,${Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength).toString("base64")}`,
      contentFilename: precision === "ply" ? "scene.ply" : "scene.compressed.ply",
      // The viewer turns splats half a round about z, to stand upright where y points up.
      settings: settings([-target[0], -target[1], target[2]], distance, background, fieldOfView, sweep),
    },
    backgroundColor: background,
    headExtras: `<title>${escapeHtml(title)}</title>${webGlOnly}`,
    inlineCss: true,
    inlineJs: true,
  });
  // A page has one title.
  return html.replace(/<title>[^<]*<\/title>/, (own) => (own.includes(escapeHtml(title)) ? own : ""));
}

/** Radians from which the camera looks down at first. */
const tilt = 0.12;
const swingSeconds = 8;
const swingKeys = 16;
/** Of a window, as a part of the longer one. */
const shorterSide = 9 / 16;

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

/** The viewer's settings of version 2, docs of @playcanvas/supersplat-viewer. */
function settings(target: readonly number[], distance: number, color: readonly number[], fov: number, sweep: number): unknown {
  // Before the splats is where z is least.
  const positionAt = (degrees: number): readonly number[] => {
    const turn = (degrees * Math.PI) / 180;
    return [
      target[0]! - distance * Math.sin(turn) * Math.cos(tilt),
      target[1]! + distance * Math.sin(tilt),
      target[2]! - distance * Math.cos(turn) * Math.cos(tilt),
    ];
  };
  const position = positionAt(0);
  const keys = Array.from({ length: swingKeys }, (_, i) => (sweep / 2) * Math.sin((2 * Math.PI * i) / swingKeys));
  const swing = {
    name: "swing",
    duration: swingSeconds,
    frameRate: 1,
    loopMode: "repeat",
    interpolation: "spline",
    smoothness: 1,
    keyframes: {
      times: keys.map((_, i) => (i * swingSeconds) / swingKeys),
      values: { position: keys.flatMap(positionAt), target: keys.flatMap(() => target), fov: keys.map(() => fov) },
    },
  };
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
    animTracks: sweep < 360 ? [swing] : [],
    cameras: [{ initial: { position, target, fov } }],
    annotations: [],
    startMode: sweep < 360 ? "animTrack" : "default",
  };
}

function escapeHtml(text: string): string {
  return text.replaceAll("&", "&amp;").replaceAll("<", "&lt;").replaceAll(">", "&gt;").replaceAll('"', "&quot;");
}
