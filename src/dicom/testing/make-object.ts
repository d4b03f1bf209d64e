/**
 * An enhanced object of made slices, for tests: their voxels as frames, in any order, and what a test wants in the functional groups.
 *
 * @example
 * const bytes = makeObject(makeSlices(head.volume), { order: [3, 0, 1, 2] });
 */
import { joinBytes } from '../../volume/bytes.js';
import { encodeSequence, text, uidText, verbatim } from '../assemble.js';
import { EXPLICIT_LITTLE, type Syntax } from '../syntax.js';
import { Values } from '../values.js';
import { walk } from '../walker.js';
import { type Extra, encodeAll, part10 } from './make-slices.js';

export interface ObjectOptions {
  readonly syntax?: Syntax;
  readonly sopClass?: string;
  /** Which slice each frame is; as they come, where none is given. */
  readonly order?: readonly number[];
  /** Added to the object, or in place of what stands there. */
  readonly extra?: readonly Extra[];
  /** Added to the groups of all frames. */
  readonly shared?: readonly Extra[];
  /** A group that is not shared. */
  readonly without?: number;
  /** Added to those of a frame: `k` is the slice. */
  readonly frame?: (k: number, i: number) => readonly Extra[];
  /** Milliseconds. */
  readonly echo?: (i: number) => number;
  readonly frameType?: (i: number) => string;
  /** Of each frame: stack, place in the stack, and what follows. */
  readonly counts?: (k: number, i: number) => readonly number[];
  /** What the counts count: element and group. */
  readonly dimensions?: readonly (readonly [number, number])[];
}

const OF_A_FRAME = new Set([
  0x00180081, 0x00200013, 0x00200032, 0x00200037, 0x00280030, 0x00281052, 0x00281053,
]);

/** @param slices of `makeSlices`, in the syntax of the object */
export function makeObject(slices: readonly Uint8Array[], options: ObjectOptions = {}): Uint8Array {
  const { syntax = EXPLICIT_LITTLE, order = [...slices.keys()] } = options;
  const dimensions = options.dimensions ?? [
    [0x00209056, 0x00209111],
    [0x00209057, 0x00209111],
  ];
  const files = slices.map(walk);
  const [first] = files;
  if (first === undefined) throw new Error('no slices');
  const sequence = (...elements: readonly Extra[]): readonly Uint8Array[] => [encodeAll(elements, syntax)];
  const longs = (...n: readonly number[]): Uint8Array => numbersOf(n, 4, syntax);
  const frames = order.map((k, i) => {
    const values = new Values(files[k] as (typeof files)[number]);
    const put = (tag: number): Uint8Array => text(values.text(tag));
    const counts = options.counts?.(k, i) ?? [1, k + 1];
    return encodeAll(
      [
        ['00189114', 'SQ', sequence(['00189082', 'FD', numbersOf([options.echo?.(i) ?? 2.98], 8, syntax)])],
        [
          '00189226',
          'SQ',
          sequence(
            ['00089007', 'CS', text(options.frameType?.(i) ?? 'ORIGINAL\\PRIMARY\\T1\\NONE')],
            ['00089208', 'CS', text('MAGNITUDE')],
          ),
        ],
        [
          '00209111',
          'SQ',
          sequence(
            ['00189074', 'DT', text('20240305223100')],
            ['00209056', 'SH', text('QZWITNESS 1')],
            ['00209057', 'UL', longs(k + 1)],
            ['00209157', 'UL', longs(...counts)],
            ['00209158', 'LT', text('QZWITNESS moved')],
          ),
        ],
        ['00209113', 'SQ', sequence(['00200032', 'DS', put(0x00200032)])],
        [
          '00289145',
          'SQ',
          sequence(
            ['00281052', 'DS', text(values.text(0x00281052) || '0')],
            ['00281053', 'DS', text(values.text(0x00281053) || '1')],
            ['00281054', 'LO', text('US')],
          ),
        ],
        ...(options.frame?.(k, i) ?? []),
      ],
      syntax,
    );
  });
  const values = new Values(first);
  const groups: readonly Extra[] = [
    ['00209116', 'SQ', sequence(['00200037', 'DS', text(values.text(0x00200037))])],
    ['00289110', 'SQ', sequence(['00280030', 'DS', text(values.text(0x00280030))])],
    [
      '00189042',
      'SQ',
      sequence(['00181250', 'SH', text('QZHOSPITAL COIL')], ['00189043', 'CS', text('VOLUME')]),
    ],
    ...(options.shared ?? []),
  ];
  const shared = encodeAll(
    groups.filter(([tag]) => Number.parseInt(tag, 16) !== options.without),
    syntax,
  );
  const kept = first.elements
    .filter(({ tag, items }) => !OF_A_FRAME.has(tag) && items === undefined && tag !== 0x7fe00010)
    .map(
      ({ tag, vr, valueFrom, valueTo }): Extra => [
        tag.toString(16).padStart(8, '0'),
        // Implicit slices do not say it, and it is not written there.
        vr ?? 'LO',
        first.bytes.slice(valueFrom, valueTo),
      ],
    );
  const voxels = joinBytes(
    order.map((k) => {
      const file = files[k] as (typeof files)[number];
      const element = file.elements.at(-1);
      if (element === undefined) throw new Error('no voxels');
      return verbatim(file, { from: element.valueFrom, to: element.valueTo });
    }),
  );
  const organisation = uidText('1.2.3.99994711.88');
  return part10(
    [
      ...kept,
      ['00080008', 'CS', text('ORIGINAL\\PRIMARY\\T1\\NONE')],
      ['00080016', 'UI', uidText(options.sopClass ?? '1.2.840.10008.5.1.4.1.1.4.1')],
      ['00080023', 'DA', text('20240305')],
      ['00080033', 'TM', text('223200')],
      ['00181000', 'LO', text('QZSERIAL')],
      ['00209221', 'SQ', sequence(['00209164', 'UI', organisation])],
      [
        '00209222',
        'SQ',
        dimensions.flatMap(([element, group]) =>
          sequence(
            ['00209164', 'UI', organisation],
            ['00209165', 'AT', tagOf(element, syntax)],
            ['00209167', 'AT', tagOf(group, syntax)],
          ),
        ),
      ],
      ['00280008', 'IS', text(`${order.length}`)],
      ...(options.extra ?? []),
      ['52009229', 'SQ', [shared]],
      ['52009230', 'SQ', frames],
      ['7fe00010', 'OW', voxels],
    ],
    syntax,
  );
}

function tagOf(tag: number, syntax: Syntax): Uint8Array {
  const bytes = new Uint8Array(4);
  const view = new DataView(bytes.buffer);
  view.setUint16(0, tag >>> 16, syntax.littleEndian);
  view.setUint16(2, tag & 0xffff, syntax.littleEndian);
  return bytes;
}

/** UL or FD. */
export function numbersOf(values: readonly number[], size: 4 | 8, { littleEndian }: Syntax): Uint8Array {
  const bytes = new Uint8Array(size * values.length);
  const view = new DataView(bytes.buffer);
  values.forEach((value, i) => {
    if (size === 4) view.setUint32(4 * i, value, littleEndian);
    else view.setFloat64(8 * i, value, littleEndian);
  });
  return bytes;
}

/** Sequences of one item, for `shared` and `frame`. */
export function group(elements: readonly Extra[], syntax: Syntax = EXPLICIT_LITTLE): readonly Uint8Array[] {
  return [encodeAll(elements, syntax)];
}

/** A sequence in a sequence, `depth` deep, with elements in the deepest. */
export function nested(depth: number, elements: readonly Extra[], tag = '00290011'): readonly Uint8Array[] {
  let inner = encodeAll(elements, EXPLICIT_LITTLE);
  for (let n = 1; n < depth; n++) inner = encodeSequence(Number.parseInt(tag, 16), [inner], EXPLICIT_LITTLE);
  return [inner];
}
