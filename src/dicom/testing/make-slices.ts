/**
 * DICOM files of a head that is nobody, for tests: slices of a volume with whatever elements a test wants in them, in any of the three
 * syntaxes.
 *
 * @example
 * const files = makeSlices(head.volume, { extra: [['00100010', 'PN', text('QZWITNESS^ANNA')]] });
 */
import { joinBytes } from '../../volume/bytes.js';
import type { Volume } from '../../volume/volume.js';
import { encodeElement, encodeSequence, text, uidText, words16 } from '../assemble.js';
import { EXPLICIT_LITTLE, type Syntax } from '../syntax.js';

/** Tag in hexadecimal, VR, value. */
export type Extra = readonly [tag: string, vr: string, value: Uint8Array | readonly Uint8Array[]];

export interface SlicesOptions {
  readonly syntax?: Syntax;
  readonly study?: string;
  readonly series?: string;
  readonly patient?: string;
  /** Added to each slice, or in place of what stands there. */
  readonly extra?: readonly Extra[] | ((k: number) => readonly Extra[]);
  readonly preamble?: string;
  readonly slope?: (k: number) => number;
  readonly inverted?: boolean;
  /** Moves a slice, mm of LPS. */
  readonly move?: (k: number) => readonly [number, number, number];
  readonly bits?: number;
  readonly signed?: boolean;
  /** Stored value of air. */
  readonly air?: number;
}

/** One file a slice of the third axis, whose columns of the affine must be at right angles. */
export function makeSlices({ grid, data }: Volume, options: SlicesOptions = {}): Uint8Array[] {
  const [nx, ny, nz] = grid.shape;
  const syntax = options.syntax ?? EXPLICIT_LITTLE;
  const { bits = 12, signed = false, air = 0, slope = () => 1, inverted = false } = options;
  const m = grid.affine;
  const lps = (row: number, value: number): number => (row === 2 ? value : -value);
  const column = (c: number): number[] => [0, 1, 2].map((r) => lps(r, m[4 * r + c] as number));
  const size = (v: readonly number[]): number => Math.hypot(...v);
  const unit = (v: readonly number[]): string => v.map((x) => number16(x / size(v))).join('\\');
  const [high, low] = signed ? [2 ** (bits - 1) - 1, -(2 ** (bits - 1))] : [2 ** bits - 1, 0];
  return Array.from({ length: nz }, (_, k) => {
    const step = column(2);
    const moved = options.move?.(k) ?? [0, 0, 0];
    const position = column(3).map((v, a) => v + k * (step[a] as number) + (moved[a] as number));
    const words = Array.from({ length: nx * ny }, (_, o) => {
      const value = Math.round((data[k * nx * ny + o] as number) / slope(k)) + air;
      const v = Math.min(high, Math.max(low, value));
      return inverted ? high + low - v : v;
    });
    const ds = (value: number): Uint8Array => text(number16(value));
    const us = (value: number): Uint8Array => words16([value], syntax);
    const instance = `1.2.3.99994711.${options.series ?? 7}.${k + 1}`;
    const all: Extra[] = [
      ['00080008', 'CS', text('ORIGINAL\\PRIMARY\\M')],
      ['00080016', 'UI', uidText('1.2.840.10008.5.1.4.1.1.4')],
      ['00080018', 'UI', uidText(instance)],
      ['00080020', 'DA', text('20240305')],
      ['00080060', 'CS', text('MR')],
      ['00080070', 'LO', text('SIEMENS')],
      ['00100010', 'PN', text('QZWITNESS^ANNA')],
      ['00100020', 'LO', text(options.patient ?? 'QZWITNESS-4711')],
      ['00180081', 'DS', text('2.98')],
      ['0020000d', 'UI', uidText(options.study ?? '1.2.3.99994711.1')],
      ['0020000e', 'UI', uidText(`1.2.3.99994711.9.${options.series ?? 7}`)],
      ['00200011', 'IS', text('3')],
      ['00200013', 'IS', text(`${k + 1}`)],
      ['00200032', 'DS', text(position.map(number16).join('\\'))],
      ['00200037', 'DS', text(`${unit(column(0))}\\${unit(column(1))}`)],
      ['00280002', 'US', us(1)],
      ['00280004', 'CS', text(inverted ? 'MONOCHROME1' : 'MONOCHROME2')],
      ['00280010', 'US', us(ny)],
      ['00280011', 'US', us(nx)],
      ['00280030', 'DS', text(`${number16(size(column(1)))}\\${number16(size(column(0)))}`)],
      ['00280100', 'US', us(16)],
      ['00280101', 'US', us(bits)],
      ['00280102', 'US', us(bits - 1)],
      ['00280103', 'US', us(signed ? 1 : 0)],
      ...(options.slope === undefined
        ? []
        : ([
            ['00281052', 'DS', ds(0)],
            ['00281053', 'DS', ds(slope(k))],
          ] as const)),
      ['7fe00010', 'OW', words16(words, syntax)],
      ...(typeof options.extra === 'function' ? options.extra(k) : (options.extra ?? [])),
    ];
    return part10(all, syntax, options.preamble ?? '');
  });
}

/** The last of several with one tag counts. */
export function part10(elements: readonly Extra[], syntax: Syntax, preamble = ''): Uint8Array {
  const start = new Uint8Array(132);
  start.set(text(preamble).subarray(0, 128));
  start.set(text('DICM'), 128);
  const meta = encodeElement(0x00020010, 'UI', uidText(syntax.uid), EXPLICIT_LITTLE);
  return joinBytes([start, meta, encodeAll(elements, syntax)]);
}

export function encodeAll(elements: readonly Extra[], syntax: Syntax): Uint8Array {
  const byTag = new Map(elements.map((element) => [Number.parseInt(element[0], 16), element]));
  return joinBytes(
    [...byTag]
      .sort(([a], [b]) => a - b)
      .map(([tag, [, vr, value]]) =>
        value instanceof Uint8Array
          ? encodeElement(tag, vr, value, syntax)
          : encodeSequence(tag, value, syntax),
      ),
  );
}

/** A decimal string of 16 characters at most. */
function number16(value: number): string {
  return `${Number(value.toPrecision(9)) + 0}`.slice(0, 16);
}
