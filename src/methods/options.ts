/**
 * What a method can be asked for, as data on the method: the pipeline's checks, the command line's help and a page's form
 * all come from here, and none of them names a method.
 *
 * @example
 * requireTaken(method, { scale: 1.1 }); // refuses, in words, what the method does not take
 */
import { Refusal } from '../errors/errors.js';

export const KEEP = ['brain', 'cranium'] as const;
export type Keep = (typeof KEEP)[number];

export interface MethodOptions {
  /** Least and most size of the head around the brain that stays as it is; absent where it cannot be chosen. */
  readonly scale?: readonly [least: number, most: number];
  /** What may keep its bits; the first is the default. */
  readonly keep?: readonly Keep[];
}

/** As much of a method as is asked here. */
interface Asked {
  readonly kind: 'remodel' | 'remove';
  readonly name: string;
  readonly options?: MethodOptions;
}

/** What a method takes: one that removes may leave anything, one that draws what it says. */
export function optionsOf(method: Asked): MethodOptions & { readonly keep: readonly Keep[] } {
  if (method.kind === 'remove') return { keep: KEEP };
  return { ...method.options, keep: method.options?.keep ?? ['brain'] };
}

/** Names of those that take a scale, and the widest range of them; undefined where none does. */
export function whoScales(
  methods: readonly Asked[],
): { readonly names: readonly string[]; readonly range: readonly [number, number] } | undefined {
  const found = methods.flatMap((method) => {
    const { scale } = optionsOf(method);
    return scale === undefined ? [] : [{ name: method.name, scale }];
  });
  if (found.length === 0) return undefined;
  return {
    names: found.map(({ name }) => name),
    range: [Math.min(...found.map(({ scale }) => scale[0])), Math.max(...found.map(({ scale }) => scale[1]))],
  };
}

/** Names of those that take any contrast, in order of registration. */
export function whoTakesAnyContrast(
  methods: readonly { readonly name: string; readonly contrast?: string }[],
): readonly string[] {
  return methods.filter(({ contrast }) => contrast === undefined).map(({ name }) => name);
}

/** @throws {Refusal} option-invalid with what was expected of this method */
export function requireTaken(
  method: Asked,
  { scale, keep }: { readonly scale?: number | undefined; readonly keep?: string | undefined },
): void {
  const takes = optionsOf(method);
  const known: readonly string[] = KEEP;
  if (keep !== undefined && !known.includes(keep))
    throw new Refusal(
      'option-invalid',
      `expected to keep ${KEEP.map((each) => `"${each}"`).join(' or ')}, found "${keep}"`,
    );
  if (keep !== undefined && !(takes.keep as readonly string[]).includes(keep))
    throw new Refusal(
      'option-invalid',
      `expected a method that can join a head to a ${keep} that stays, found ${method.name}, which cannot`,
    );
  if (scale === undefined) return;
  if (takes.scale === undefined)
    throw new Refusal(
      'option-invalid',
      `expected a scale only with a method that draws heads by size, found one with ${method.name}`,
    );
  const [least, most] = takes.scale;
  if (!(scale >= least && scale <= most))
    throw new Refusal('option-invalid', `expected a scale of ${least} to ${most}, found ${scale}`);
}
