/**
 * The geometry of a stack: slices sorted along their normal, and a grid, or the name of what is wrong with it. Nothing is assumed:
 * a missing, doubled or uneven slice or a sheared stack is refused, as no grid of right angles would be true.
 *
 * @example
 * const { order, grid } = stackGrid(slices);
 */
import { Refusal } from '../errors/errors.js';
import { checkedGrid, checkSize, MIN_SLICES } from '../formats/limits.js';
import { dot, type Vec3 } from '../volume/affine.js';
import type { Grid } from '../volume/volume.js';
import type { SliceFacts } from './slice-facts.js';

/** A step may differ from the mean one by this much: positions are rounded. */
const STEP_TOLERANCE = { mm: 0.02, share: 0.01 } as const;
/** Of the line through the slices with their normal; cosines of four digits make 0.01. */
const MOST_TILT_DEGREES = 0.2;

/** @returns the slices' indices from the first of the stack to the last, and the grid in RAS */
export function stackGrid(slices: readonly SliceFacts[]): {
  readonly order: readonly number[];
  readonly grid: Grid;
} {
  const [first] = slices;
  if (first === undefined || slices.length < MIN_SLICES)
    throw new Refusal('not-3d', `expected at least ${MIN_SLICES} slices in a stack, found ${slices.length}`);
  requireAlike(slices, first);
  const normal = cross(first.row, first.column);
  const along = slices.map(({ position }) => dot(position, normal));
  const order = [...slices.keys()].sort((a, b) => (along[a] as number) - (along[b] as number));
  const places = order.map((i) => along[i] as number);
  requireEven(places);
  const [low, high] = [slices[order[0] as number], slices[order.at(-1) as number]] as [
    SliceFacts,
    SliceFacts,
  ];
  const n = slices.length - 1;
  const step = [0, 1, 2].map(
    (a) => ((high.position[a] as number) - (low.position[a] as number)) / n,
  ) as unknown as Vec3;
  requireStraight(slices, order, low, step, normal);
  const { pixels, spacing, row, column } = first;
  const shape = [pixels.columns, pixels.rows, slices.length] as const;
  checkSize(shape, 1, pixels.allocated === 8 ? 'uint8' : 'uint16');
  // Patients' left and back count up in DICOM, right and front here.
  const line = (axis: 0 | 1 | 2): number[] => {
    const sign = axis === 2 ? 1 : -1;
    return [row[axis] * spacing[1], column[axis] * spacing[0], step[axis], low.position[axis]].map(
      (v) => sign * v,
    );
  };
  return { order, grid: checkedGrid(shape, [...line(0), ...line(1), ...line(2), 0, 0, 0, 1]) };
}

function requireAlike(slices: readonly SliceFacts[], { pixels, spacing }: SliceFacts): void {
  for (const other of slices) {
    if (other.pixels.rows !== pixels.rows || other.pixels.columns !== pixels.columns)
      throw new Refusal(
        'geometry-invalid',
        `expected slices of one matrix, found ${pixels.columns} x ${pixels.rows} and ${other.pixels.columns} x ${other.pixels.rows}`,
      );
    if (other.spacing.some((mm, i) => Math.abs(mm - (spacing[i] as number)) > 1e-3 * mm))
      throw new Refusal('geometry-invalid', 'expected slices of one pixel spacing, found several');
    const { allocated, stored, signed, inverted } = other.pixels;
    if (
      allocated !== pixels.allocated ||
      stored !== pixels.stored ||
      signed !== pixels.signed ||
      inverted !== pixels.inverted
    )
      throw new Refusal('datatype-unsupported', 'expected slices with voxels of one type, found several');
  }
}

/** @param places along the normal, sorted */
function requireEven(places: readonly number[]): void {
  const steps = places.slice(1).map((mm, i) => mm - (places[i] as number));
  const usual = [...steps].sort((a, b) => a - b)[Math.floor(steps.length / 2)] as number;
  const doubled = steps.findIndex((mm) => mm < 0.01);
  if (doubled >= 0 || usual < 0.01)
    throw new Refusal(
      'geometry-invalid',
      `expected one slice at each place, found two at ${(places[Math.max(0, doubled)] as number).toFixed(2)} mm along the normal (slices ${Math.max(0, doubled) + 1} and ${Math.max(0, doubled) + 2} of ${places.length})`,
    );
  const tolerance = Math.max(STEP_TOLERANCE.mm, STEP_TOLERANCE.share * usual);
  const uneven = steps.filter((mm) => Math.abs(mm - usual) > tolerance);
  if (uneven.length === 0) return;
  const gaps = uneven.filter((mm) => Math.abs(mm / usual - Math.round(mm / usual)) < 0.02);
  if (gaps.length === uneven.length) {
    const at = steps.findIndex((mm) => Math.abs(mm - usual) > tolerance);
    throw new Refusal(
      'geometry-invalid',
      `expected slices ${usual.toFixed(2)} mm apart, found a gap of ${(steps[at] as number).toFixed(2)} mm after slice ${at + 1} of ${places.length}: a slice is missing`,
    );
  }
  throw new Refusal(
    'geometry-invalid',
    `expected slices evenly spaced, found steps of ${Math.min(...steps).toFixed(3)} to ${Math.max(...steps).toFixed(3)} mm`,
  );
}

function requireStraight(
  slices: readonly SliceFacts[],
  order: readonly number[],
  low: SliceFacts,
  step: Vec3,
  normal: Vec3,
): void {
  const length = Math.hypot(...step);
  const cosine = Math.min(1, Math.abs(dot(step, normal)) / (length * Math.hypot(...normal)));
  const degrees = (Math.acos(cosine) * 180) / Math.PI;
  if (degrees > MOST_TILT_DEGREES)
    throw new Refusal(
      'geometry-invalid',
      `expected slices stacked along their normal, found a stack that is sheared by ${degrees.toFixed(1)} degrees (as with a tilted gantry)`,
    );
  const tolerance = Math.max(0.1, 2 * STEP_TOLERANCE.share * length);
  for (const [k, i] of order.entries()) {
    const { position } = slices[i] as SliceFacts;
    const off = Math.hypot(
      ...position.map((mm, a) => mm - (low.position[a] as number) - k * (step[a] as number)),
    );
    if (off > tolerance)
      throw new Refusal(
        'geometry-invalid',
        `expected slices on one line, found slice ${k + 1} of ${order.length} ${off.toFixed(2)} mm beside it`,
      );
  }
}

function cross(a: Vec3, b: Vec3): Vec3 {
  return [a[1] * b[2] - a[2] * b[1], a[2] * b[0] - a[0] * b[2], a[0] * b[1] - a[1] * b[0]];
}
