/**
 * What heads are measured with. An instrument whose network or package is not there says why, and every section that
 * needs it then says "not measured" with that reason: never a number.
 *
 * @example
 * const instruments = await findInstruments({ adaptive: new Map() });
 * if (!instruments.faces.ready) console.error(instruments.faces.reason);
 */
import { basename, dirname, resolve } from 'node:path';
import { isRefusal, type ModelDescription, type NetworkRunner, Refusal } from 'prosopon';
import { type Affine, brainIntensity, type Mask, type Volume, type VoxelArray } from 'prosopon/imaging';
import { type ModelFolders, NodeNetworkRunner, packagedModels, readModel } from 'prosopon/node';
import { embedPictures, SQN_MODEL } from '../privacy/sqn.js';
import { BRAIN_AGE_MODEL, brainAge } from '../utility/brain-age.js';
import {
  classesOfDlmuse,
  SEGMENTATION_CLASSES,
  SEGMENTATION_MODEL,
  segmentHead,
} from '../utility/segmentation.js';
import type { LabelMap } from '../utility/segmentation-agreement.js';
import { type LabelName, labelNames, readTsv } from './cohort.js';
import { FACE_PACKAGES, type FaceSeen, loadFaceRecognition } from './face-recognition.js';
import type { HeadView } from './head-view.js';
import { rulerModels } from './models.js';
import { runSegmenter } from './segmenter-command.js';
import { keyOf } from './store.js';

export interface Ready<I, T> {
  readonly ready: true;
  /** Changes when the instrument does: names and hashes of its weights. */
  readonly key: string;
  readonly models: readonly ModelDescription[];
  measure(input: I, networks: NetworkRunner, signal?: AbortSignal): Promise<T>;
}
export interface Missing {
  readonly ready: false;
  readonly reason: string;
}
export type Instrument<I, T> = Ready<I, T> | Missing;

export interface ToSegment {
  readonly volume: Volume;
  readonly brainMask: Mask;
  readonly pose: Affine;
}
/** Labels on the volume's grid, or why the segmenter could not do this head. */
export type Segmented = LabelMap | { readonly failed: string };

export interface Instruments {
  /** A reference label map in the ids of `segment`; absent where they are the same. */
  readonly referenceLabels?: (labels: VoxelArray) => ArrayLike<number>;
  readonly faces: Instrument<HeadView, FaceSeen>;
  /** By name: 'transfer', then the methods with an adaptive network. Unit vectors. */
  readonly sqn: ReadonlyMap<string, Instrument<HeadView, Float32Array>>;
  readonly segment: Instrument<ToSegment, Segmented>;
  readonly age: Instrument<HeadView, number>;
  /** Of `segment`, by id. */
  readonly classNames?: ReadonlyMap<number, string>;
  /** Ends what instruments have started on their own. */
  close?(): Promise<void>;
}

export interface InstrumentOptions {
  readonly faceApi?: string;
  /** By method: the folder of its adaptive network. */
  readonly adaptive: ReadonlyMap<string, string>;
  readonly segmenter?: readonly string[];
  readonly segmenterLabels?: string;
  /** Folders of networks; those that came with the packages when absent. */
  readonly models?: ModelFolders;
}

/** All instruments that there are. @throws {Refusal} model-unavailable for an adaptive network that is not there */
export async function findInstruments(options: InstrumentOptions): Promise<Instruments> {
  const models = options.models ?? ownFolders();
  const runners: NodeNetworkRunner[] = [];
  const sqn = new Map<string, Instrument<HeadView, Float32Array>>();
  sqn.set(
    TRANSFER,
    await networkInstrument(
      SQN_MODEL,
      (view: HeadView, networks, signal) =>
        embedPictures(view.pictures('relief'), networks, SQN_MODEL, signal),
      models,
    ),
  );
  for (const [method, folder] of options.adaptive) {
    const [beside, name] = [dirname(resolve(folder)), basename(resolve(folder))];
    const model = await readModel(name, beside);
    const runner = new NodeNetworkRunner({ models: beside });
    runners.push(runner);
    sqn.set(method, {
      ready: true,
      key: `${name} ${model.sha256}`,
      models: [model],
      measure: (view, _, signal) => embedPictures(view.pictures('relief'), runner, name, signal),
    });
  }
  const ours = options.segmenter === undefined;
  return {
    faces: await faceInstrument(options.faceApi),
    sqn,
    segment: ours
      ? await ourSegmenter(models)
      : commandSegmenter(options.segmenter ?? [], options.segmenterLabels),
    ...(ours ? { referenceLabels: classesOfDlmuse } : {}),
    classNames: new Map(
      (ours ? SEGMENTATION_CLASSES : namesIn(options.segmenterLabels)).map(({ id, name }) => [id, name]),
    ),
    age: await networkInstrument(
      BRAIN_AGE_MODEL,
      (view: HeadView, networks, signal) => {
        const { volume, pose, brainMask } = view;
        const { air, level } = brainIntensity(volume.data, brainMask.data);
        const fromAir = air === 0 ? volume : { ...volume, data: volume.data.map((v) => v - air) };
        return brainAge({ volume: fromAir, pose, brainLevel: level }, networks, signal);
      },
      models,
    ),
    close: async () => {
      await Promise.all(runners.map((runner) => runner.close()));
    },
  };
}

/** The network trained on originals. */
export const TRANSFER = 'transfer';

function ourSegmenter(models: ModelFolders): Promise<Instrument<ToSegment, Segmented>> {
  return networkInstrument(
    SEGMENTATION_MODEL,
    async ({ volume, brainMask }: ToSegment, networks, signal) => {
      try {
        return await segmentHead(volume, networks, {
          brainMask,
          ...(signal === undefined ? {} : { signal }),
        });
      } catch (error) {
        if (isRefusal(error)) return { failed: `the segmenter refused (${error.tag})` };
        throw error;
      }
    },
    models,
  );
}

function namesIn(file: string | undefined): LabelName[] {
  const names = file === undefined ? [] : labelNames(readTsv(file));
  if (file !== undefined && names.length === 0)
    throw new Refusal('option-invalid', 'expected a table of labels with columns index and name, found none');
  return names;
}

/** The user's own tool; the mask is not given to it, so that both arms are the same. */
function commandSegmenter(
  command: readonly string[],
  labelsFile: string | undefined,
): Instrument<ToSegment, Segmented> {
  const names = namesIn(labelsFile);
  const known = new Map(names.map((name) => [name.id, name]));
  return {
    ready: true,
    key: keyOf(command, names),
    models: [],
    async measure({ volume }, _, signal) {
      const result = await runSegmenter(command, volume, signal);
      if ('failed' in result) return result;
      const ids = new Set(result.labels);
      for (const { id } of names) ids.add(id);
      const classes = [...ids]
        .filter((id) => id > 0)
        .sort((a, b) => a - b)
        .map((id) => ({
          id,
          name: known.get(id)?.name ?? `label ${id}`,
          group: known.get(id)?.tissue ?? 'none',
        }));
      return { labels: result.labels, classes };
    },
  };
}

export function missing(reason: string): Missing {
  return { ready: false, reason };
}

/** Where networks lie when nobody named a folder: the product's, then the ruler's. */
function ownFolders(): ModelFolders {
  return [packagedModels(), rulerModels()];
}

/** An instrument that rests on one network of the package. */
export async function networkInstrument<I, T>(
  name: string,
  measure: Ready<I, T>['measure'],
  models: ModelFolders = ownFolders(),
): Promise<Instrument<I, T>> {
  try {
    const model = await readModel(name, models);
    return { ready: true, key: `${name} ${model.sha256}`, models: [model], measure };
  } catch (error) {
    if (isRefusal(error, 'model-unavailable')) return missing(`network missing (models/${name})`);
    throw error;
  }
}

/** @param folder Where the optional packages are installed, when not beside this one. */
export async function faceInstrument(folder?: string): Promise<Instrument<HeadView, FaceSeen>> {
  const faces = await loadFaceRecognition(folder);
  if (faces === undefined)
    return missing(`face recognition is not installed (npm install ${FACE_PACKAGES.join(' ')})`);
  return {
    ready: true,
    key: faces.name,
    models: [],
    measure: (view) => faces.look(view.pictures('portrait').front),
  };
}
