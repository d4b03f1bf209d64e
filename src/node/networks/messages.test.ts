import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import type { Tensor } from '../../networks/runner.js';
import { type Frame, FrameReader, sendFrame } from './messages.js';

function bytesOf(frames: Frame[]): Uint8Array {
  const parts: Uint8Array[] = [];
  for (const frame of frames) sendFrame({ write: (bytes) => parts.push(bytes.slice()) }, frame);
  return new Uint8Array(parts.flatMap((part) => [...part]));
}

const tensor: fc.Arbitrary<Tensor> = fc
  .tuple(fc.array(fc.integer({ min: 0, max: 4 }), { maxLength: 4 }), fc.constantFrom('f', 'i', 'u'), fc.nat())
  .map(([shape, type, start]) => {
    const length = shape.reduce((product, n) => product * n, 1);
    const Type = { f: Float32Array, i: Int32Array, u: Uint8Array }[type as 'f' | 'i' | 'u'];
    return { data: new Type(Array.from({ length }, (_, i) => start + i / 2)), shape };
  });

const frame: fc.Arbitrary<Frame> = fc.record({
  head: fc.dictionary(fc.stringMatching(/^[a-z]{1,8}$/), fc.oneof(fc.string(), fc.integer(), fc.boolean())),
  tensors: fc.dictionary(fc.stringMatching(/^[a-z]{1,8}$/), tensor, { maxKeys: 3 }),
});

describe('frames', () => {
  it('come out as they went in, wherever the stream is cut', () => {
    fc.assert(
      fc.property(
        fc.array(frame, { maxLength: 4 }),
        fc.array(fc.integer({ min: 1, max: 40 })),
        (frames, cuts) => {
          const got: Frame[] = [];
          const reader = new FrameReader((received) => got.push(received));
          let rest = bytesOf(frames);
          for (const cut of [...cuts, rest.length]) {
            reader.push(rest.subarray(0, cut));
            rest = rest.subarray(cut);
          }
          expect(got.map((each) => ({ head: { ...each.head }, tensors: { ...each.tensors } }))).toEqual(
            frames.map((each) => ({ head: { ...each.head }, tensors: { ...each.tensors } })),
          );
        },
      ),
    );
  });

  it('that are none are a failure, not a huge allocation', () => {
    const reader = new FrameReader(() => {});
    expect(() => reader.push(Uint8Array.of(255, 255, 255, 255))).toThrow(/out of step/);
  });

  it('with data that do not fill the shape are not sent', () => {
    const bad = { head: {}, tensors: { x: { data: new Float32Array(3), shape: [2] } } };
    expect(() => sendFrame({ write: () => {} }, bad)).toThrow(/has 3 values/);
    const worse = { head: {}, tensors: { x: { data: new Float32Array(2), shape: [-2, -1] } } };
    expect(() => sendFrame({ write: () => {} }, worse)).toThrow(/cannot have the shape/);
  });
});
