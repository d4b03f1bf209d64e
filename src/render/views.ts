/**
 * From where a head is looked at: named views and 'YAW,PITCH', and the camera's axes that follow.
 *
 * @example
 * const front = parseView('front'); // { yaw: 0, pitch: 0 }
 * const above = parseView('30,20'); // from the subject's left and from above
 */
import { Refusal } from '../errors/errors.js';
import type { Vec3 } from '../volume/affine.js';

/**
 * Degrees. At 0, 0 the camera stands in front of the head (+y of the frame) and looks back at it. `yaw` walks the
 * camera round the head to the subject's left (90 = seen from the left), `pitch` lifts it (90 = seen from above).
 */
export interface View {
  readonly yaw: number;
  readonly pitch: number;
}

export const VIEWS = {
  front: { yaw: 0, pitch: 0 },
  left: { yaw: 90, pitch: 0 },
  right: { yaw: -90, pitch: 0 },
  back: { yaw: 180, pitch: 0 },
  oblique: { yaw: 40, pitch: 0 },
} as const satisfies Record<string, View>;
export type ViewName = keyof typeof VIEWS;

function isViewName(text: string): text is ViewName {
  return Object.hasOwn(VIEWS, text);
}

/** @throws {Refusal} option-invalid for anything but a name of `VIEWS` or 'YAW,PITCH' within 360 and 90 degrees. */
export function parseView(text: string): View {
  if (isViewName(text)) return VIEWS[text];
  const number = String.raw`\s*([+-]?\d+(?:\.\d+)?)\s*`;
  const match = new RegExp(`^${number},${number}$`).exec(text);
  const yaw = Number(match?.[1]);
  const pitch = Number(match?.[2]);
  if (!match || Math.abs(yaw) > 360 || Math.abs(pitch) > 90)
    throw new Refusal(
      'option-invalid',
      `a view is ${Object.keys(VIEWS).join(', ')} or YAW,PITCH in degrees (at most 360 and 90), found '${text}'`,
    );
  return { yaw, pitch };
}

/** Unit vectors of the camera in the frame's coordinates. */
export interface CameraAxes {
  /** To the right in the picture (the subject's right is on the left of a front view). */
  readonly right: Vec3;
  /** Up in the picture. */
  readonly up: Vec3;
  /** From the camera into the picture. */
  readonly forward: Vec3;
}

export function cameraAxes({ yaw, pitch }: View): CameraAxes {
  const y = (yaw * Math.PI) / 180;
  const p = (pitch * Math.PI) / 180;
  const [sy, cy, sp, cp] = [Math.sin(y), Math.cos(y), Math.sin(p), Math.cos(p)];
  return { right: [-cy, -sy, 0], up: [sy * sp, -cy * sp, cp], forward: [sy * cp, -cy * cp, -sp] };
}
