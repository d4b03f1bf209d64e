/**
 * One volume of one subject as the instruments see it: surfaces and pictures are made when first asked for and then
 * kept, since several instruments want the same ones.
 *
 * @example
 * const view = new HeadView({ volume, pose, brainMask });
 * view.portraits('A').front;
 */

import {
  type Affine,
  type Mask,
  type PixelImage,
  prepareSurface,
  type SurfaceField,
  type Volume,
} from 'prosopon/imaging';
import { type HeadShape, headShape } from '../privacy/geometry.js';
import { type AttackStyle, type AttackViewName, attackPictures, type ViewSet } from '../privacy/views.js';

export interface HeadViewContent {
  readonly volume: Volume;
  /** Brain frame to world. */
  readonly pose: Affine;
  /** On the volume's grid. */
  readonly brainMask: Mask;
  /** Camera of its pictures; default 'A', the candidates'. */
  readonly viewSet?: ViewSet;
  /** The papers' BLURRED control: pictures alone. */
  readonly blurred?: boolean;
}

export type Pictures = Readonly<Record<AttackViewName, PixelImage>>;

export class HeadView {
  readonly volume: Volume;
  readonly pose: Affine;
  readonly brainMask: Mask;
  readonly #content: HeadViewContent;
  readonly #pictures = new Map<AttackStyle, Pictures>();
  #field: SurfaceField | undefined;

  constructor(content: HeadViewContent) {
    this.#content = content;
    this.volume = content.volume;
    this.pose = content.pose;
    this.brainMask = content.brainMask;
  }

  /** @throws {Refusal} no-signal when there is no surface */
  pictures(style: AttackStyle): Pictures {
    const known = this.#pictures.get(style);
    if (known !== undefined) return known;
    this.#field ??= prepareSurface(this.volume);
    const made = attackPictures(this.#field, this.pose, {
      style,
      viewSet: this.#content.viewSet ?? 'A',
      blurred: this.#content.blurred === true,
    });
    this.#pictures.set(style, made);
    return made;
  }

  /** @throws {Refusal} no-signal when there is no surface */
  shape(): HeadShape {
    return headShape(this.volume, this.pose);
  }
}
