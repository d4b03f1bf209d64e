/**
 * Files into people, studies, series and stacks: by their UIDs, then by what tells two stacks of a series apart. A stack is one image;
 * a series appears whole or not at all.
 *
 * @example
 * const [person] = groupSlices(slices);
 * person.series[0].stacks; // [[slice, slice, ...], ...]
 */
import type { Vec3 } from '../volume/affine.js';
import type { SliceFacts } from './describe.js';

/** One per file that is treated; `T` is what the caller finds it by. */
export interface FoundSlice<T> {
  readonly slice: SliceFacts;
  readonly file: T;
}

export interface FoundSeries<T> {
  readonly study: string;
  readonly series: string;
  readonly stacks: readonly (readonly FoundSlice<T>[])[];
  /** Higher: sooner. */
  readonly rank: number;
}

export interface FoundPerson<T> {
  readonly key: string;
  readonly series: readonly FoundSeries<T>[];
}

/** Cosines that differ by less are one orientation. */
const SAME_COSINES = 1e-3;

/** A person's series in the order in which they are treated: the one that shows a brain best is first. */
export function groupSlices<T>(slices: readonly FoundSlice<T>[]): FoundPerson<T>[] {
  return [...groupBy(slices, ({ slice }) => slice.person.key)].map(([key, ofPerson]) => ({
    key,
    series: [...groupBy(ofPerson, ({ slice }) => JSON.stringify([slice.study, slice.series]))]
      .map(([, members]) => seriesOf(members))
      .sort((a, b) => b.rank - a.rank || (a.series < b.series ? -1 : 1)),
  }));
}

function seriesOf<T>(members: readonly FoundSlice<T>[]): FoundSeries<T> {
  const [first] = members as readonly [FoundSlice<T>];
  const stacks = [...groupBy(members, ({ slice }) => JSON.stringify(slice.stack))]
    .flatMap(([, same]) => byOrientation(same))
    .flatMap(byAcquisition)
    .sort((a, b) => b.length - a.length);
  const largest = stacks[0] as readonly FoundSlice<T>[];
  // A volume of many slices before one of few, whatever they are called.
  const size = Math.min(4, Math.floor(largest.length / 32));
  const { study, series, rank } = first.slice;
  return { study, series, stacks, rank: rank + size };
}

function byOrientation<T>(slices: readonly FoundSlice<T>[]): FoundSlice<T>[][] {
  const stacks: FoundSlice<T>[][] = [];
  for (const found of slices) {
    const same = stacks.find(([first]) => first !== undefined && sameOrientation(first.slice, found.slice));
    if (same === undefined) stacks.push([found]);
    else same.push(found);
  }
  return stacks;
}

function sameOrientation(a: SliceFacts, b: SliceFacts): boolean {
  const near = (u: Vec3, v: Vec3): boolean =>
    u.every((x, i) => Math.abs(x - (v[i] as number)) < SAME_COSINES);
  return near(a.row, b.row) && near(a.column, b.column);
}

/** Some makers count acquisitions within a volume, so the number divides only what would lie doubled without it. */
function byAcquisition<T>(slices: readonly FoundSlice<T>[]): FoundSlice<T>[][] {
  const places = (of: readonly FoundSlice<T>[]): number =>
    new Set(of.map(({ slice: { position } }) => position.map((mm) => mm.toFixed(2)).join())).size;
  if (places(slices) === slices.length) return [[...slices]];
  const parts = [...groupBy(slices, ({ slice }) => slice.acquisition)].map(([, part]) => part);
  const fits = parts.length > 1 && parts.every((part) => places(part) === part.length);
  return fits ? parts : [[...slices]];
}

function groupBy<T>(values: readonly T[], keyOf: (value: T) => string): Map<string, T[]> {
  const groups = new Map<string, T[]>();
  for (const value of values) {
    const key = keyOf(value);
    const group = groups.get(key);
    if (group === undefined) groups.set(key, [value]);
    else group.push(value);
  }
  return groups;
}
