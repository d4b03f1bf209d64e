/**
 * What a file is and what would be done with it, before anything is: its grid and orientation, the brain, the contrast,
 * whether there is a face, and why the default method would refuse it.
 *
 * @example
 * const seen = await inspectImage(image, { networks, extractBrain });
 * seen.face; // 'present'
 */
import { degreesBetween } from '../brain/finder.js';
import { makeHead } from '../brain/head.js';
import { type Contrast, contrastOf, fitTissues } from '../brain/tissues.js';
import { isRefusal } from '../errors/errors.js';
import { doubtsOf } from '../formats/codecs.js';
import { finiteVolume, type StoredImage } from '../formats/stored-image.js';
import { type Affine, applyAffine, at, IDENTITY, invert, multiply, type Vec3 } from '../volume/affine.js';
import { closestAxes } from '../volume/canonical-grid.js';
import { dilateMm } from '../volume/morphology.js';
import { type Grid, type Mask, type Volume, voxelMillilitres, voxelSizes } from '../volume/volume.js';
import { faceSurface } from './face-gone.js';

export interface Inspection {
  readonly format: StoredImage['format'];
  readonly shape: readonly number[];
  readonly voxelMm: readonly number[];
  /** Where the three voxel axes run by the header: `RAS` is right, front, up. */
  readonly axes: string;
  readonly volumes: number;
  readonly datatype: string;
  /** Absent where no brain was found; `problem` says why. */
  readonly brain?: {
    readonly millilitres: number;
    /** Of two networks, 0 to 1. */
    readonly agreement?: number;
    /** Degrees between upright and how the brain stands in the header's axes. */
    readonly degreesTurned: number;
    readonly contrast: Contrast;
    /** Means of fluid, grey and white matter over the brain's median. */
    readonly tissues?: { readonly fluid: number; readonly grey: number; readonly white: number };
  };
  readonly face: 'present' | 'removed' | 'not in view' | 'brain only' | 'unknown';
  /** Why a new face would be refused, in the words of the refusal; absent where it would be drawn. */
  readonly problem?: string;
  /** What a person should know: axes that lie, several volumes. */
  readonly notes: readonly string[];
}

export interface InspectServices {
  findBrain(volume: Volume): Promise<{ mask: Mask; agreement?: number }>;
}

const LETTERS = ['LR', 'PA', 'IS'] as const;

/** Three letters, as nibabel's `aff2axcodes`. */
export function axisCodes(grid: Grid): string {
  const order = closestAxes(grid);
  const out = ['', '', ''];
  order.forEach((column, row) => {
    out[column] = (LETTERS[row as 0] as string)[at(grid.affine, row, column) < 0 ? 0 : 1] as string;
  });
  return out.join('');
}

/** Between this near to the brain and that, mm: scalp and skull in a head, nothing where the brain was cut out. */
const SHELL_MM = [8, 20] as const;
const TISSUE = 0.15;
/** Share of tissue in the shell under which there is only a brain; heads have 0.4 and more. */
const LEAST_SHELL = 0.05;

function hasHead(volume: Volume, mask: Mask, level: number): boolean {
  const near = dilateMm(mask, SHELL_MM[0]).data;
  const far = dilateMm(mask, SHELL_MM[1]).data;
  let [tissue, all] = [0, 0];
  for (let o = 0; o < far.length; o++)
    if (far[o] === 1 && near[o] === 0) {
      all++;
      if ((volume.data[o] as number) > TISSUE * level) tissue++;
    }
  return all > 0 && tissue / all > LEAST_SHELL;
}

/** Where eyes, nose and mouth are in the brain's frame, mm. */
const FEATURES: readonly Vec3[] = [
  [-32, 70, -28],
  [32, 70, -28],
  [0, 85, -50],
  [-20, 75, -78],
  [20, 75, -78],
];

/** Whether most of where a face would be lies in the field of view: else nothing was removed. */
function faceInView(grid: Grid, pose: Affine, scale: number): boolean {
  const toVoxel = multiply(invert(grid.affine), pose);
  const seen = FEATURES.filter(([x, y, z]) =>
    applyAffine(toVoxel, [scale * x, scale * y, scale * z]).every(
      (v, axis) => v >= 0 && v <= (grid.shape[axis] as number) - 1,
    ),
  );
  return 2 * seen.length > FEATURES.length;
}

/** More than a sloppy table position: a header whose axes lie, or a subject on his side. */
const MUCH_TURNED = 50;

export async function inspectImage(image: StoredImage, services: InspectServices): Promise<Inspection> {
  const { grid } = image;
  const base = {
    format: image.format,
    shape: grid.shape,
    voxelMm: voxelSizes(grid),
    axes: axisCodes(grid),
    volumes: image.volumes,
    datatype: image.datatype,
  };
  const volume = finiteVolume(image);
  const notes: string[] = [...doubtsOf(image)];
  if (image.volumes > 1) notes.push(`${image.volumes} volumes: all of them would get one face`);
  try {
    const { mask, agreement } = await services.findBrain(volume);
    const head = makeHead(volume, mask);
    const tissues = fitTissues(head.volume, mask, head.pose, head.scale);
    const contrast = tissues === undefined ? 'unknown' : contrastOf(tissues);
    const turned = degreesBetween(head.pose, IDENTITY);
    if (turned > MUCH_TURNED)
      notes.push(
        `the brain stands ${turned.toFixed(0)} degrees away from upright: the header's axes are wrong, or the subject lay on a side`,
      );
    const millilitres = mask.data.reduce((sum, v) => sum + v, 0) * voxelMillilitres(grid);
    const brain = {
      millilitres,
      ...(agreement === undefined ? {} : { agreement }),
      degreesTurned: turned,
      contrast,
      ...(tissues === undefined
        ? {}
        : {
            tissues: {
              fluid: tissues.mean.fluid / head.brainLevel,
              grey: tissues.mean.grey / head.brainLevel,
              white: tissues.mean.white / head.brainLevel,
            },
          }),
    };
    const { state } = faceSurface(volume, head.pose, head.scale);
    const withHead = hasHead(head.volume, mask, head.brainLevel);
    if (!withHead) notes.push('there is a brain and no head round it');
    const face =
      state === 'found' || state === 'hidden'
        ? 'present'
        : !faceInView(grid, head.pose, head.scale)
          ? 'not in view'
          : withHead
            ? 'removed'
            : 'brain only';
    return { ...base, brain, face, notes };
  } catch (error) {
    if (!isRefusal(error)) throw error;
    return { ...base, face: 'unknown', problem: error.message, notes };
  }
}
