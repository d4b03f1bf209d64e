/**
 * Pictures of nobody for tests of the study: smooth patterns, one for each subject and method.
 *
 * @example
 * const renderings = fakeRenderings({ subjects: 6, methods: ['blur', 'cut'] });
 */
import { encodePng } from '../../../../../src/render/png.js';
import type { Pictures, Renderings } from '../build.js';

export interface FakeOptions {
  readonly subjects: number;
  readonly methods: readonly string[];
  readonly size?: number;
}

export function fakeRenderings({ subjects, methods, size = 24 }: FakeOptions): Renderings {
  const set = (salt: number): Pictures =>
    new Map(Array.from({ length: subjects }, (_, p) => [subjectName(p), fakePicture(p, salt, size)]));
  return { queries: set(0), methods: new Map(methods.map((name, m) => [name, set(m + 1)])) };
}

/** Long and odd enough not to occur in a page by accident. */
export function subjectName(p: number): string {
  return `sub-secret${String(p).padStart(3, '0')}`;
}

/** An ellipse with waves that depend on the subject, in a shade that depends on the salt. Grey PNG. */
export function fakePicture(subject: number, salt: number, size: number): Uint8Array {
  const data = new Uint8Array(size * size);
  for (let y = 0; y < size; y++)
    for (let x = 0; x < size; x++) {
      const [u, v] = [(2 * x) / size - 1, (2 * y) / size - 1];
      const inside = (u / 0.7) ** 2 + (v / 0.9) ** 2 < 1;
      const wave =
        Math.sin((3 + (subject % 5)) * u * 3 + subject) * Math.cos((2 + (subject % 3)) * v * 3 + salt);
      data[x + size * y] = inside ? Math.round(150 + 12 * (salt % 5) + 50 * wave) : 0;
    }
  return encodePng({ width: size, height: size, channels: 1, data });
}
