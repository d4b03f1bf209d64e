/**
 * The pictures that every attacker sees: four views of the head's surface in two sets. Set A shows the candidates;
 * set B is the same head photographed on another day: the camera a few degrees off and the lamp elsewhere, so that
 * the control "ORIGINAL from another view" cannot be won by comparing pixels.
 *
 * The pose comes from the brain, which is the same before and after, and the picture's centre is a fixed point of
 * the brain's frame: where the head ends in the picture says nothing of the scan's field of view.
 *
 * A portrait of 256 px takes 0.3 to 0.4 s of one core, the surface behind all views 0.3 s more (2 mm scans).
 *
 * @example
 * const queries = attackPictures(original, pose, { style: 'portrait', viewSet: 'B' });
 * queries.front; // 256 x 256 RGB
 */

import {
  type Affine,
  castSurface,
  GREY,
  type PixelImage,
  PORTRAIT,
  PORTRAIT_FOV_MM,
  prepareSurface,
  type ShadeStyle,
  type SurfaceField,
  shade,
  type Vec3,
  type View,
  type Volume,
  type VoxelArray,
} from 'prosopon/imaging';

export type AttackViewName = 'front' | 'left' | 'right' | 'oblique';
export const ATTACK_VIEW_NAMES: readonly AttackViewName[] = ['front', 'left', 'right', 'oblique'];
/** A: candidates. B: queries "from another view". */
export type ViewSet = 'A' | 'B';

export interface AttackCamera {
  readonly view: View;
  /** Added to the direction of the style's lamp (camera axes: right, up, towards the camera). */
  readonly lamp: Vec3;
}

/**
 * Set B stands 6 to 9 degrees away from set A, as a person asked to look at a camera does, and its lamp comes from the
 * other side.
 */
export const ATTACK_VIEWS: Readonly<Record<ViewSet, Readonly<Record<AttackViewName, AttackCamera>>>> = {
  A: {
    front: { view: { yaw: 0, pitch: 0 }, lamp: [0, 0, 0] },
    left: { view: { yaw: 90, pitch: 0 }, lamp: [0, 0, 0] },
    right: { view: { yaw: -90, pitch: 0 }, lamp: [0, 0, 0] },
    oblique: { view: { yaw: 40, pitch: 0 }, lamp: [0, 0, 0] },
  },
  B: {
    front: { view: { yaw: -6, pitch: 5 }, lamp: [-0.5, -0.1, 0.1] },
    left: { view: { yaw: 83, pitch: 4 }, lamp: [-0.5, -0.1, 0.1] },
    right: { view: { yaw: -83, pitch: 4 }, lamp: [-0.5, -0.1, 0.1] },
    oblique: { view: { yaw: 34, pitch: 6 }, lamp: [-0.5, -0.1, 0.1] },
  },
};

/** portrait: tinted, 320 mm across, what face detectors find. relief: grey on black, 256 mm across. */
export type AttackStyle = 'portrait' | 'relief';

const STYLES: Readonly<Record<AttackStyle, { style: ShadeStyle; fovMm: number; size: number }>> = {
  portrait: { style: PORTRAIT, fovMm: PORTRAIT_FOV_MM, size: 256 },
  relief: { style: GREY, fovMm: 256, size: 128 },
};

/** Middle of every picture in the brain's frame (mm): that of the model cube, which holds noses and chins. */
const CENTRE: Vec3 = [0, 22, -30];

/**
 * Standard deviation of BLURRED, mm on the head. The papers' pictures are "mildly blurred", without a figure: 4 mm halves
 * what is as small as an eye's opening (10 mm) and leaves nose, brows and outline.
 */
export const BLUR_MM = 4;

export interface AttackPictureOptions {
  /** Default 'portrait'. */
  readonly style?: AttackStyle;
  /** Default 'A'. */
  readonly viewSet?: ViewSet;
  /** Pixels along each edge; default 256 for portraits, 128 for reliefs. */
  readonly size?: number;
  /** The papers' BLURRED control: the picture, not the head, is blurred; default false. */
  readonly blurred?: boolean;
}

/**
 * Four pictures of a head. Deterministic.
 * @param source a volume, or its surface made ready once for several sets (`prepareSurface`)
 * @param pose brain frame to world: `Head.pose`
 * @throws {Refusal} no-signal when the volume has no surface
 */
export function attackPictures(
  source: Volume<VoxelArray> | SurfaceField,
  pose: Affine,
  options: AttackPictureOptions = {},
): Readonly<Record<AttackViewName, PixelImage>> {
  const { style, fovMm, size: usual } = STYLES[options.style ?? 'portrait'];
  const size = options.size ?? usual;
  const cameras = ATTACK_VIEWS[options.viewSet ?? 'A'];
  const field = 'occupied' in source ? source : prepareSurface(source);
  const picture = (name: AttackViewName): PixelImage => {
    const { view, lamp } = cameras[name];
    const relief = castSurface(field, { frame: pose, centre: CENTRE, view, size, fovMm });
    const [x, y, z] = style.light;
    const image = shade(relief, { ...style, light: [x + lamp[0], y + lamp[1], z + lamp[2]] });
    return options.blurred === true ? blurImage(image, (BLUR_MM * size) / fovMm) : image;
  };
  return {
    front: picture('front'),
    left: picture('left'),
    right: picture('right'),
    oblique: picture('oblique'),
  };
}

/** Gaussian blur of a picture, standard deviation in pixels; the edge is repeated. */
export function blurImage(image: PixelImage, sigmaPx: number): PixelImage {
  const { width, height, channels } = image;
  const radius = Math.ceil(3 * sigmaPx);
  if (radius === 0) return image;
  const taps = Float64Array.from({ length: 2 * radius + 1 }, (_, i) =>
    Math.exp(-0.5 * ((i - radius) / sigmaPx) ** 2),
  );
  const total = taps.reduce((sum, tap) => sum + tap, 0);
  let values = Float64Array.from(image.data);
  // Along rows, then along columns: stride, entries along the line, stride from line to line.
  for (const [stride, count] of [
    [channels, width],
    [channels * width, height],
  ] as const) {
    const out = new Float64Array(values.length);
    for (let i = 0; i < values.length; i++) {
      const place = Math.floor(i / stride) % count;
      let sum = 0;
      for (let t = -radius; t <= radius; t++) {
        const other = Math.min(count - 1, Math.max(0, place + t));
        sum += (taps[t + radius] as number) * (values[i + (other - place) * stride] as number);
      }
      out[i] = sum / total;
    }
    values = out;
  }
  return { width, height, channels, data: Uint8Array.from(values, Math.round) };
}
