/**
 * What is to be known of a file to say which series and stack it belongs to, and what it is when it is none that is treated here.
 *
 * @example
 * const described = describe(walk(bytes));
 * if (described.kind === 'slice') described.slice.position; // [-112.5, -98.1, 44.0]
 */
import { dot, type Vec3 } from '../volume/affine.js';
import { PIXEL_DATA } from './allow-list.js';
import { type PersonFacts, personOf } from './person.js';
import { Values } from './values.js';
import type { WalkedFile } from './walker.js';

/** How voxels are stored, and what they mean. */
export interface PixelFacts {
  readonly rows: number;
  readonly columns: number;
  readonly allocated: 8 | 16;
  readonly stored: number;
  readonly signed: boolean;
  readonly inverted: boolean;
}

export interface SliceFacts {
  readonly person: PersonFacts;
  readonly study: string;
  readonly series: string;
  readonly instance: string;
  /** What divides a series into stacks, beside the orientation. */
  readonly stack: {
    readonly seriesNumber: string;
    readonly imageType: string;
    readonly echo: string;
    readonly temporal: string;
  };
  readonly acquisition: string;
  readonly pixels: PixelFacts;
  readonly position: Vec3;
  readonly row: Vec3;
  readonly column: Vec3;
  /** Between rows, between columns, mm. */
  readonly spacing: readonly [number, number];
  readonly slope: number;
  readonly intercept: number;
  /** Stored value of what is no picture, where the header says one (0028,0120). */
  readonly padding?: number;
  readonly localizer: boolean;
  /** How likely it is that a brain is seen well in it: for the order in which a person's series are treated. */
  readonly rank: number;
}

export type Described =
  | { readonly kind: 'slice'; readonly slice: SliceFacts }
  /** Not of a kind that is treated. */
  | { readonly kind: 'left'; readonly why: string }
  /** A slice that makes its series impossible. */
  | {
      readonly kind: 'refused';
      readonly study: string;
      readonly series: string;
      readonly person: PersonFacts;
      readonly why: string;
    };

const MR = '1.2.840.10008.5.1.4.1.1.4';

/** Names of what is met beside MR series; whatever else is met has none. */
const OTHERS: Readonly<Record<string, string>> = {
  '1.2.840.10008.1.3.10': 'DICOMDIR',
  '1.2.840.10008.5.1.4.1.1.4.1': 'enhanced MR (multi-frame), which is not treated yet',
  '1.2.840.10008.5.1.4.1.1.4.2': 'MR spectroscopy',
  '1.2.840.10008.5.1.4.1.1.4.3': 'enhanced MR in colour',
  '1.2.840.10008.5.1.4.1.1.4.4': 'legacy converted enhanced MR (multi-frame)',
  '1.2.840.10008.5.1.4.1.1.2': 'CT',
  '1.2.840.10008.5.1.4.1.1.2.1': 'enhanced CT',
  '1.2.840.10008.5.1.4.1.1.7': 'secondary capture',
  '1.2.840.10008.5.1.4.1.1.7.1': 'secondary capture (multi-frame)',
  '1.2.840.10008.5.1.4.1.1.7.2': 'secondary capture (multi-frame)',
  '1.2.840.10008.5.1.4.1.1.7.3': 'secondary capture (multi-frame)',
  '1.2.840.10008.5.1.4.1.1.7.4': 'secondary capture (multi-frame)',
  '1.2.840.10008.5.1.4.1.1.11.1': 'presentation state',
  '1.2.840.10008.5.1.4.1.1.66': 'raw data',
  '1.2.840.10008.5.1.4.1.1.66.1': 'spatial registration',
  '1.2.840.10008.5.1.4.1.1.66.4': 'segmentation',
  '1.2.840.10008.5.1.4.1.1.66.5': 'surface segmentation',
  '1.2.840.10008.5.1.4.1.1.88.11': 'structured report',
  '1.2.840.10008.5.1.4.1.1.88.22': 'structured report',
  '1.2.840.10008.5.1.4.1.1.88.33': 'structured report',
  '1.2.840.10008.5.1.4.1.1.88.59': 'key object selection',
  '1.2.840.10008.5.1.4.1.1.88.67': 'radiation dose report',
  '1.2.840.10008.5.1.4.1.1.104.1': 'encapsulated PDF',
  '1.2.840.10008.5.1.4.1.1.128': 'PET',
  '1.2.840.10008.5.1.4.1.1.130': 'enhanced PET',
  '1.2.840.10008.5.1.4.1.1.481.2': 'RT dose',
  '1.2.840.10008.5.1.4.1.1.481.3': 'RT structure set',
  '1.2.840.10008.5.1.4.1.1.481.5': 'RT plan',
};

export function describe(file: WalkedFile): Described {
  const values = new Values(file);
  const metaClass = new Values({ ...file, elements: file.meta }).text(0x00020002);
  const sopClass = values.text(0x00080016) || metaClass;
  if (sopClass !== MR)
    return { kind: 'left', why: OTHERS[sopClass] ?? 'an object of a kind that is not known here' };
  const ids = { study: values.text(0x0020000d), series: values.text(0x0020000e), person: personOf(file) };
  const instance = values.text(0x00080018);
  if (ids.study === '' || ids.series === '' || instance === '')
    return { kind: 'left', why: 'an MR image without study, series or instance UID' };
  const why = (found: string): Described => ({ kind: 'refused', ...ids, why: found });
  const { compressed, decoder } = file.syntax;
  if (compressed !== undefined && decoder === undefined)
    return why(`expected voxels that can be decoded here, found ${compressed}`);
  const pixels = pixelsOf(values, compressed !== undefined);
  if (typeof pixels === 'string') return why(pixels);
  if (values.text(0x00280301).toUpperCase() === 'YES')
    return why('expected no text burned into the picture, found Burned In Annotation YES');
  const place = placeOf(values);
  if (typeof place === 'string') return why(place);
  const slope = values.get(0x00281053) === undefined ? 1 : (values.number(0x00281053) ?? Number.NaN);
  const intercept = values.get(0x00281052) === undefined ? 0 : (values.number(0x00281052) ?? Number.NaN);
  if (!(Math.abs(slope) > 1e-12 && Math.abs(slope) < 1e12 && Math.abs(intercept) < 1e12))
    return why('expected a rescale slope and intercept that are numbers, the slope not 0, found others');
  const imageType = values.text(0x00080008).toUpperCase();
  const padding = values.word(0x00280120, pixels.signed);
  return {
    kind: 'slice',
    slice: {
      ...ids,
      instance,
      stack: {
        seriesNumber: values.text(0x00200011),
        imageType,
        echo: `${values.text(0x00180086)} ${values.text(0x00180081)}`,
        temporal: values.text(0x00200100),
      },
      acquisition: values.text(0x00200012),
      pixels,
      ...place,
      slope,
      intercept,
      ...(padding === undefined ? {} : { padding }),
      localizer: imageType.split('\\').includes('LOCALIZER'),
      rank: rankOf(values),
    },
  };
}

/** A T1-weighted volume before all else. The texts are read here, and go nowhere. */
function rankOf(values: Values): number {
  const said = `${values.text(0x0008103e)} ${values.text(0x00181030)}`.toLowerCase();
  const echo = values.number(0x00180081) ?? 0;
  return (
    (/t1|mp-?rage|spgr|bravo|tfe|tfl|flash|vibe/.test(said) ? 4 : 0) +
    (values.text(0x00180023) === '3D' ? 2 : 0) +
    (echo > 0 && echo < 12 ? 2 : 0) +
    (values.number(0x00180082) !== undefined ? 1 : 0)
  );
}

function pixelsOf(values: Values, compressed: boolean): PixelFacts | string {
  const word = (tag: number): number => values.word(tag) ?? -1;
  const photometric = values.text(0x00280004);
  const samples = word(0x00280002);
  if (samples !== 1 || (photometric !== 'MONOCHROME1' && photometric !== 'MONOCHROME2'))
    return 'expected grey voxels (MONOCHROME1 or 2), found colour';
  if ((values.number(0x00280008) ?? 1) !== 1) return 'expected one frame a file, found several';
  const [rows, columns] = [word(0x00280010), word(0x00280011)];
  const [allocated, stored, high, sign] = [
    word(0x00280100),
    word(0x00280101),
    word(0x00280102),
    word(0x00280103),
  ];
  if (allocated !== 8 && allocated !== 16)
    return `expected 8 or 16 bits a voxel, found ${allocated < 0 ? 'none said' : allocated}`;
  if (stored < 1 || stored > allocated || high !== stored - 1 || (sign !== 0 && sign !== 1))
    return 'expected voxels in the low bits of their words, found others';
  const element = values.get(PIXEL_DATA);
  if (element === undefined) return 'expected voxels, found none';
  if ((element.fragments !== undefined) !== compressed)
    return 'expected voxels in fragments where they are compressed and nowhere else, found others';
  const bytes = rows * columns * (allocated / 8);
  const there = element.valueTo - element.valueFrom;
  // An odd number of bytes is filled up to an even one.
  if (rows < 1 || columns < 1 || (!compressed && there !== bytes && there !== bytes + (bytes % 2)))
    return `expected ${bytes} bytes of voxels (${columns} x ${rows}), found ${there}`;
  return { rows, columns, allocated, stored, signed: sign === 1, inverted: photometric === 'MONOCHROME1' };
}

type Place = Pick<SliceFacts, 'position' | 'row' | 'column' | 'spacing'>;

function placeOf(values: Values): Place | string {
  const position = values.numbers(0x00200032);
  const cosines = values.numbers(0x00200037);
  const spacing = values.numbers(0x00280030);
  if (position?.length !== 3 || cosines?.length !== 6)
    return 'expected a position and an orientation of every slice, found a slice without';
  if (spacing?.length !== 2 || !spacing.every((mm) => mm >= 0.01 && mm <= 100))
    return 'expected a pixel spacing of 0.01 to 100 mm in every slice, found none or another';
  const row = cosines.slice(0, 3) as unknown as Vec3;
  const column = cosines.slice(3) as unknown as Vec3;
  if (
    Math.abs(dot(row, row) - 1) > 1e-2 ||
    Math.abs(dot(column, column) - 1) > 1e-2 ||
    Math.abs(dot(row, column)) > 1e-3
  )
    return 'expected an orientation of two unit vectors at right angles, found others';
  return {
    position: position as unknown as Vec3,
    row,
    column,
    spacing: spacing as unknown as readonly [number, number],
  };
}
