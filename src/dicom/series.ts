/**
 * Files into people, studies, series and stacks: by their UIDs, then by what tells two stacks of a series apart. A stack is one image;
 * a series appears whole or not at all.
 *
 * @example
 * const [person] = groupSlices(slices);
 * person.series[0].stacks; // [[slice, slice, ...], ...]
 */
import type { Vec3 } from '../volume/affine.js';
import type { FrameFacts, SliceFacts } from './slice-facts.js';

/** One per file that is treated; `T` is what the caller finds it by. */
export interface FoundSlice<T> {
  readonly slice: SliceFacts;
  readonly file: T;
}

/** An enhanced object. */
export interface FoundObject<T> {
  readonly frames: readonly [FrameFacts, ...FrameFacts[]];
  readonly file: T;
}

export interface FoundSeries<T> {
  readonly study: string;
  readonly series: string;
  /** Of enhanced objects, or of slices: what has one UID in both forms is two series here. */
  readonly enhanced: boolean;
  readonly stacks: readonly (readonly FoundSlice<T>[])[];
  /** Each a stack, or several, of its own. */
  readonly objects: readonly FoundObject<T>[];
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
export function groupSlices<T>(
  slices: readonly FoundSlice<T>[],
  objects: readonly FoundObject<T>[] = [],
): FoundPerson<T>[] {
  const members: Member<T>[] = [
    ...slices.map((found) => ({ facts: found.slice, found })),
    ...objects.map((object) => ({ facts: object.frames[0], object })),
  ];
  return [...groupBy(members, ({ facts }) => facts.person.key)].map(([key, ofPerson]) => ({
    key,
    series: [
      ...groupBy(ofPerson, ({ facts, object }) =>
        JSON.stringify([facts.study, facts.series, object !== undefined]),
      ),
    ]
      .map(([, members]) => seriesOf(members))
      .sort((a, b) => b.rank - a.rank || (a.series < b.series ? -1 : 1)),
  }));
}

/** A file of a series, of either kind. */
interface Member<T> {
  readonly facts: SliceFacts;
  readonly found?: FoundSlice<T>;
  readonly object?: FoundObject<T>;
}

function seriesOf<T>(members: readonly Member<T>[]): FoundSeries<T> {
  const [first] = members as readonly [Member<T>];
  const slices = members.flatMap(({ found }) => (found === undefined ? [] : [found]));
  const objects = members.flatMap(({ object }) => (object === undefined ? [] : [object]));
  const stacks = [...groupBy(slices, ({ slice }) => JSON.stringify(slice.stack))]
    .flatMap(([, same]) => byOrientation(same))
    .flatMap(byAcquisition)
    .sort((a, b) => b.length - a.length);
  const largest = Math.max(stacks[0]?.length ?? 0, ...objects.map(({ frames }) => frames.length));
  // A volume of many slices before one of few, whatever they are called.
  const size = Math.min(4, Math.floor(largest / 32));
  const { study, series, rank } = first.facts;
  return { study, series, enhanced: objects.length > 0, stacks, objects, rank: rank + size };
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

export function sameOrientation(a: SliceFacts, b: SliceFacts): boolean {
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

export function groupBy<T>(values: readonly T[], keyOf: (value: T) => string): Map<string, T[]> {
  const groups = new Map<string, T[]>();
  for (const value of values) {
    const key = keyOf(value);
    const group = groups.get(key);
    if (group === undefined) groups.set(key, [value]);
    else group.push(value);
  }
  return groups;
}
