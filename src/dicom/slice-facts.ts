/**
 * What is known of a slice, whether it is a file or a frame of an enhanced object, and how it is read from elements: where it lies, how
 * its voxels are stored, what they mean.
 *
 * @example
 * const place = placeOf({ position: values, orientation: values, measures: values });
 * if (typeof place !== 'string') place.position; // [-112.5, -98.1, 44.0]
 */
import { dot, type Vec3 } from '../volume/affine.js';
import { PIXEL_DATA } from './allow-list.js';
import type { PersonFacts } from './person.js';
import type { Values } from './values.js';

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

/** A frame of an enhanced object: a slice, and what tells frames at one place apart. */
export interface FrameFacts extends SliceFacts {
  /** Type, echo, time, diffusion: frames with one of them are of one volume. */
  readonly volume: string;
  /** The object's own counts of what is no place. */
  readonly counts: string;
  readonly magnitude: boolean;
}

/** A T1-weighted volume before all else. The texts are read here, and go nowhere. */
export function rankOf(values: Values, echoTime: number | undefined): number {
  const said = `${values.text(0x0008103e)} ${values.text(0x00181030)}`.toLowerCase();
  const echo = echoTime ?? 0;
  return (
    (/t1|mp-?rage|spgr|bravo|tfe|tfl|flash|vibe/.test(said) || values.text(0x00089209) === 'T1' ? 4 : 0) +
    (values.text(0x00180023) === '3D' ? 2 : 0) +
    (echo > 0 && echo < 12 ? 2 : 0) +
    (values.number(0x00180082) !== undefined ? 1 : 0)
  );
}

export function pixelsOf(values: Values, compressed: boolean, enhanced: boolean): PixelFacts | string {
  const word = (tag: number): number => values.word(tag) ?? -1;
  const photometric = values.text(0x00280004);
  const samples = word(0x00280002);
  if (samples !== 1 || (photometric !== 'MONOCHROME1' && photometric !== 'MONOCHROME2'))
    return 'expected grey voxels (MONOCHROME1 or 2), found colour';
  const frames = values.number(0x00280008) ?? 1;
  if (!enhanced && frames !== 1) return 'expected one frame a file, found several';
  if (!Number.isInteger(frames) || frames < 1) return 'expected a number of frames, found none';
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
  const bytes = frames * rows * columns * (allocated / 8);
  const there = element.valueTo - element.valueFrom;
  // An odd number of bytes is filled up to an even one.
  if (rows < 1 || columns < 1 || (!compressed && there !== bytes && there !== bytes + (bytes % 2)))
    return `expected ${bytes} bytes of voxels (${columns} x ${rows}${enhanced ? ` x ${frames}` : ''}), found ${there}`;
  return { rows, columns, allocated, stored, signed: sign === 1, inverted: photometric === 'MONOCHROME1' };
}

/** 1 and 0 where nothing is said. @param values of the image, or of a frame's functional group */
export function rescaleOf(values: Values | undefined): { slope: number; intercept: number } | string {
  const said = (tag: number, none: number): number =>
    values?.get(tag) === undefined ? none : (values.number(tag) ?? Number.NaN);
  const [slope, intercept] = [said(0x00281053, 1), said(0x00281052, 0)];
  return Math.abs(slope) > 1e-12 && Math.abs(slope) < 1e12 && Math.abs(intercept) < 1e12
    ? { slope, intercept }
    : 'expected a rescale slope and intercept that are numbers, the slope not 0, found others';
}

export type Place = Pick<SliceFacts, 'position' | 'row' | 'column' | 'spacing'>;

/** Where each of it is said: all in one place, or in a functional group each. */
export interface PlaceSaid {
  readonly position: Values | undefined;
  readonly orientation: Values | undefined;
  readonly measures: Values | undefined;
}

export function placeOf(said: PlaceSaid): Place | string {
  const position = said.position?.numbers(0x00200032);
  const cosines = said.orientation?.numbers(0x00200037);
  const spacing = said.measures?.numbers(0x00280030);
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
