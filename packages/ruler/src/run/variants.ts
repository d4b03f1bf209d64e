/**
 * The rows of the tables before they are numbers: what is made of an original (controls, references, methods) and
 * which parts are measured of it.
 *
 * @example
 * const rows = [again(), blurred(), brainOnly(), ...methods.map((m) => treated(m, how))];
 */

import { createImage, finiteVolume, type Method, parseSeed } from 'prosopon';
import {
  runPipeline as deidentify,
  FOUND_MARGIN_MM,
  type Mask,
  Random,
  resampleLinear,
  type Volume,
} from 'prosopon/imaging';
import { loadImage, nodeGzip, StageTimer } from 'prosopon/node';
import type { RowKind } from '../report/results.js';
import { damageMask, type MaskErrorCost, type MaskErrorKind, maskErrorCost } from '../utility/mask-errors.js';
import { regridded } from '../utility/regrid.js';
import { HeadView } from './head-view.js';
import type { SubjectContext } from './subject.js';

/** Parts of a variant that are measured; `utility` is both arms, `brain` the re-extracted mask. */
export type PartName = 'faces' | 'sqn' | 'shape' | 'utility' | 'age';

/** How a treatment went. */
export interface Treatment {
  readonly stages: Readonly<Record<string, number>>;
  /** Highest resident memory seen where a stage ended, this process and its inference process. */
  readonly peakMb: number;
}

export interface Made {
  readonly view: HeadView;
  readonly treatment?: Treatment;
  readonly maskCost?: MaskErrorCost;
}

export interface Variant {
  readonly name: string;
  readonly title: string;
  readonly kind: RowKind;
  /** Everything besides the original that the volume depends on. */
  readonly key: unknown;
  readonly parts: readonly PartName[];
  /** @throws {Refusal} when the method refuses this head */
  make(context: SubjectContext): Promise<Made>;
}

/** The query of every attack: the untreated head, seen from camera set B. */
export const ORIGINAL: Variant = {
  name: 'original',
  title: 'original',
  kind: 'control',
  key: 'camera B',
  parts: ['faces', 'sqn', 'shape', 'age'],
  async make(context) {
    const { volume, head } = await context.original();
    return { view: new HeadView({ volume, pose: head.pose, brainMask: head.brainMask, viewSet: 'B' }) };
  },
};

/** ORIGINAL from another view: re-gridded, brain found and posed again, camera set A. Also the reference of utility. */
export const AGAIN: Variant = {
  name: 'again',
  title: 'ORIGINAL, another view',
  kind: 'control',
  key: 'half a voxel, 1 degree',
  parts: ['faces', 'sqn', 'shape', 'utility', 'age'],
  async make(context) {
    const { volume, head } = await context.original();
    const moved = regridded(volume);
    const soft = resampleLinear(head.brainMask, moved.grid);
    const mask: Mask = { grid: moved.grid, data: Uint8Array.from(soft, (v) => (v > 0.5 ? 1 : 0)) };
    const { pose } = context.place.services.makeHead(moved, mask);
    return { view: new HeadView({ volume: moved, pose, brainMask: mask }) };
  },
};

/** The papers' control: the pictures blurred, not the head. */
export const BLURRED: Variant = {
  name: 'blurred',
  title: 'BLURRED pictures',
  kind: 'control',
  key: 'blurred',
  parts: ['faces', 'sqn'],
  async make(context) {
    const { volume, head } = await context.original();
    return { view: new HeadView({ volume, pose: head.pose, brainMask: head.brainMask, blurred: true }) };
  },
};

export const BRAIN_ONLY: Variant = {
  name: 'brain-only',
  title: 'brain only',
  kind: 'control',
  key: 'brain',
  parts: ['faces', 'sqn', 'shape'],
  async make(context) {
    const { volume, head } = await context.original();
    const data = volume.data.map((v, o) => (head.brainMask.data[o] === 0 ? 0 : v));
    return {
      view: new HeadView({ volume: { grid: volume.grid, data }, pose: head.pose, brainMask: head.brainMask }),
    };
  },
};

export interface Treating {
  readonly resolution: 128 | 256;
  /** Text; each subject's seed is made of it, the subject and the number of the draw. */
  readonly seed: string;
  /** Hashes of the weights that the method uses. */
  readonly modelsKey: string;
}

interface TreatedOptions extends Treating {
  /** Which draw of the method; 0 is the one of the tables. */
  readonly draw?: number;
  readonly maskError?: { readonly kind: MaskErrorKind; readonly mm: number };
  readonly parts: readonly PartName[];
  /** Default 'method'. */
  readonly kind?: RowKind;
}

export function drawName(method: string, draw: number): string {
  return draw === 0 ? method : `${method}~${draw}`;
}

export function maskErrorName(method: string, kind: MaskErrorKind, mm: number): string {
  return `${method}!${kind}-${mm}`;
}

/** A method's result on each subject, by the pipeline itself. */
export function treated(method: Method, options: TreatedOptions): Variant {
  const { draw = 0, maskError, resolution, seed, modelsKey, parts } = options;
  const name =
    maskError === undefined
      ? drawName(method.name, draw)
      : maskErrorName(method.name, maskError.kind, maskError.mm);
  return {
    name,
    title: name,
    kind: options.kind ?? 'method',
    key: [method.name, modelsKey, resolution, seed, draw, maskError ?? null],
    parts,
    async make(context) {
      const { head } = await context.original();
      const own = `${seed} ${context.subject.id}`;
      const brainMask =
        maskError === undefined
          ? head.brainMask
          : damageMask(
              head.brainMask,
              maskError.kind,
              maskError.mm,
              new Random(parseSeed(own)).fork(`mask ${maskError.kind} ${maskError.mm}`),
            );
      const { volume, treatment } = await treat(context, method, brainMask, `${own} ${draw}`, resolution);
      return {
        view: new HeadView({ volume, pose: head.pose, brainMask: head.brainMask }),
        treatment,
        ...(maskError === undefined ? {} : { maskCost: maskErrorCost(head.brainMask, brainMask) }),
      };
    },
  };
}

async function treat(
  context: SubjectContext,
  method: Method,
  brainMask: Mask,
  seed: string,
  resolution: 128 | 256,
): Promise<{ volume: Volume; treatment: Treatment }> {
  const { networks, services, signal } = context.place;
  // Read again: the pipeline overwrites what it is given.
  const image = await loadImage(context.subject.scan);
  const timer = new StageTimer();
  let highest = 0;
  const done = await deidentify(
    { image, outputName: 'treated.nii', brainMask: createImage(brainMask.grid, brainMask.data) },
    // The mask is the network's own, only remembered: kept is what `deid` keeps round it.
    // Trusted: masks that are wrong on purpose are what this measures, and a brain need not be found for each variant.
    { method, seed: parseSeed(seed), resolution, brainMarginMm: FOUND_MARGIN_MM, trustMask: true },
    {
      networks,
      gzip: nodeGzip,
      extractBrain: services.extractBrain,
      makeHead: services.makeHead,
      signal,
      onStage: (stage) => {
        highest = Math.max(highest, process.memoryUsage.rss());
        timer.begin(stage);
      },
    },
  );
  timer.end();
  highest = Math.max(highest, process.memoryUsage.rss());
  const { result } = done.images[0];
  return {
    volume: finiteVolume(result),
    treatment: {
      stages: timer.seconds,
      peakMb: Math.round(highest / 2 ** 20 + (networks.peakMemoryMb ?? 0)),
    },
  };
}
