/**
 * One series: its stacks as images, all of them treated and verified, then all of its files in place. One that is refused leaves nothing.
 *
 * @example
 * const { files, face } = await treatSeries(series, { face: undefined, ...context });
 */
import type { FaceState } from '../../deidentify/face-state.js';
import { type Deidentified, deidentify, type ImageToTreat } from '../../deidentify/pipeline.js';
import { type Cleaning, cleanHeader } from '../../dicom/clean.js';
import { decompressed } from '../../dicom/decompress.js';
import { readObject } from '../../dicom/object-codec.js';
import type { FoundSeries, FoundSlice } from '../../dicom/series.js';
import { readStack, seriesCodec } from '../../dicom/series-codec.js';
import type { SliceFacts } from '../../dicom/slice-facts.js';
import { Values } from '../../dicom/values.js';
import { type WalkedFile, walk } from '../../dicom/walker.js';
import { Failure, Refusal } from '../../errors/errors.js';
import type { StoredImage } from '../../formats/stored-image.js';
import { sameGrid } from '../../volume/volume.js';
import { pipelineServices, type ScanServices, type ScanTreatment } from '../scan-job.js';
import { decoders } from './codecs/decoders.js';
import { type InputFile, plainDicom } from './input-file.js';

export interface TreatedSeries {
  /** Bytes of the new files, in order. */
  readonly files: readonly Uint8Array[];
  readonly stacks: readonly { readonly shape: readonly number[]; readonly checks: Deidentified['checks'] }[];
  readonly warnings: readonly string[];
  /** The head that was drawn, if it was drawn here. */
  readonly face: FaceState | undefined;
}

/** @param face of an earlier series of the person */
export async function treatSeries(
  series: FoundSeries<InputFile>,
  cleaning: Omit<Cleaning, 'words'>,
  treatment: ScanTreatment,
  services: ScanServices,
  face: FaceState | undefined,
): Promise<TreatedSeries> {
  const slices = series.stacks.flat().map(({ slice }) => slice);
  const ofObjects = series.objects.map(({ frames }) => frames[0]);
  const { retained } = cleaning;
  const ofPerson = ({ person }: SliceFacts): readonly string[] =>
    // UIDs of some makers hold the scanner's serial number.
    retained.device || retained.uids ? person.words : [...person.words, ...person.deviceWords];
  const words = [...new Set([...slices, ...ofObjects].flatMap(ofPerson))];
  if ([slices[0], ...ofObjects].some((facts) => facts?.localizer === true))
    throw new Refusal('not-3d', 'expected a head series, found a localizer, which is not treated yet');
  const codec = seriesCodec(words, retained);
  const images: StoredImage[] = [];
  services.onStage('read');
  const header = (file: WalkedFile): Uint8Array => cleanHeader(file, { ...cleaning, words });
  for (const stack of series.stacks) images.push(readStack(await filesOf(stack), header, codec));
  for (const { file, frames } of series.objects)
    images.push(readObject(await readAgain(file, frames[0].instance), header, words, retained));
  const done: {
    readonly files: readonly Uint8Array[];
    readonly checks: Deidentified['checks'];
    readonly shape: readonly number[];
  }[] = [];
  const warnings: string[] = [];
  let known = face;
  for (const group of onOneGrid(images)) {
    const [lead, ...others] = group.map((image): ImageToTreat => ({ image, outputName: 'stack' }));
    if (lead === undefined) throw new Failure('internal', 'a group of no image');
    const treated = await treatGroup(lead, others, treatment, services, known);
    if (treated.face !== undefined) known = treated.face;
    warnings.push(...treated.warnings);
    for (const [i, { files, result }] of treated.images.entries())
      done.push({
        files: files.map(({ bytes }) => bytes),
        checks: i === 0 ? treated.checks : {},
        shape: result.volumes === 1 ? result.grid.shape : [...result.grid.shape, result.volumes],
      });
  }
  return {
    files: done.flatMap(({ files }) => files),
    stacks: done.map(({ shape, checks }) => ({ shape, checks })),
    warnings,
    face: known === face ? undefined : known,
  };
}

async function treatGroup(
  lead: ImageToTreat,
  coregistered: readonly ImageToTreat[],
  { seed, scale, brainMarginMm, ...treatment }: ScanTreatment,
  services: ScanServices,
  face: FaceState | undefined,
): Promise<Deidentified> {
  const remodels = treatment.method.kind === 'remodel';
  return deidentify(
    { ...lead, coregistered },
    {
      ...treatment,
      ...(brainMarginMm === undefined ? {} : { brainMarginMm }),
      ...(scale === undefined ? {} : { scale }),
      ...(face === undefined ? (seed === undefined ? {} : { seed }) : { faceOf: face }),
      keepFace: remodels && face === undefined,
    },
    pipelineServices(services),
  );
}

/** Echoes and time points lie on one another: one brain mask for all of them. */
function onOneGrid(images: readonly StoredImage[]): StoredImage[][] {
  const groups: StoredImage[][] = [];
  for (const image of images) {
    const group = groups.find(([first]) => first !== undefined && sameGrid(first.grid, image.grid));
    if (group === undefined) groups.push([image]);
    else group.push(image);
  }
  return groups;
}

/** Read again, as ten thousand files are not held in memory; each must still be the one that was found. */
async function filesOf(stack: readonly FoundSlice<InputFile>[]): Promise<WalkedFile[]> {
  const files: WalkedFile[] = [];
  for (const { file, slice } of stack) files.push(await readAgain(file, slice.instance));
  return files;
}

async function readAgain(file: InputFile, instance: string): Promise<WalkedFile> {
  const walked = await decompressed(walk(plainDicom(await file.read())), decoders);
  if (new Values(walked).text(0x00080018) !== instance)
    throw new Refusal(
      'not-readable',
      'expected files that stay as they are, found one that was changed meanwhile',
    );
  return walked;
}
