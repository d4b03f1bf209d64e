/**
 * Tensors to and from ONNX Runtime's own: names, types and the few conversions (int64, bool) in one place, for
 * Node and the browser alike.
 *
 * @example
 * const results = await session.run(toOrt(session, feeds, OrtTensor));
 * const logits = fromOrt('logits', results.logits);
 */
import type { InferenceSession, Tensor as OrtTensor, TensorConstructor } from 'onnxruntime-common';
import { Failure } from '../errors/errors.js';
import { type Tensor, tensorSize } from './runner.js';

type Session = Pick<InferenceSession, 'inputNames' | 'inputMetadata'>;

function wantedType(session: Session, name: string): string {
  const metadata = session.inputMetadata.find((input) => input.name === name);
  if (metadata === undefined || !metadata.isTensor) {
    throw new Failure('network-failed', `the input ${name} is not a tensor`);
  }
  return metadata.type;
}

function convert(name: string, tensor: Tensor, wanted: string, Ort: TensorConstructor): OrtTensor {
  const { data, shape } = tensor;
  if (wanted === 'float32' && data instanceof Float32Array) return new Ort('float32', data, shape);
  if (wanted === 'int32' && data instanceof Int32Array) return new Ort('int32', data, shape);
  if (wanted === 'uint8' && data instanceof Uint8Array) return new Ort('uint8', data, shape);
  if (wanted === 'bool' && data instanceof Uint8Array) return new Ort('bool', data, shape);
  if (wanted === 'int64' && data instanceof Int32Array) {
    return new Ort('int64', BigInt64Array.from(data, BigInt), shape);
  }
  throw new Failure('network-failed', `the input ${name} wants ${wanted}; found ${data.constructor.name}`);
}

/**
 * Feeds for `session.run`. An Int32Array serves an int32 or int64 input, a Uint8Array a uint8 or bool one.
 * @throws {Failure} network-failed when names, types or sizes are not those the network wants.
 */
export function toOrt(
  session: Session,
  feeds: Readonly<Record<string, Tensor>>,
  Ort: TensorConstructor,
): Record<string, OrtTensor> {
  const given = Object.keys(feeds);
  const unknown = given.filter((name) => !session.inputNames.includes(name));
  const missing = session.inputNames.filter((name) => feeds[name] === undefined);
  if (unknown.length > 0 || missing.length > 0) {
    throw new Failure(
      'network-failed',
      `the network wants the inputs ${session.inputNames.join(', ')}; found ${given.join(', ') || 'none'}`,
    );
  }
  const out: Record<string, OrtTensor> = {};
  for (const [name, tensor] of Object.entries(feeds)) {
    if (tensorSize(tensor.shape) !== tensor.data.length) {
      throw new Failure('network-failed', `the data of ${name} do not fill [${tensor.shape.join(', ')}]`);
    }
    out[name] = convert(name, tensor, wantedType(session, name), Ort);
  }
  return out;
}

/**
 * A result of `session.run`. int64 becomes int32, bool becomes uint8.
 * @throws {Failure} network-failed for another type, or an int64 that int32 cannot hold.
 */
export function fromOrt(name: string, result: OrtTensor | undefined): Tensor {
  if (result === undefined) throw new Failure('network-failed', `the network gave no output ${name}`);
  const shape = [...result.dims];
  const data: unknown = result.data;
  if (data instanceof Float32Array || data instanceof Int32Array || data instanceof Uint8Array) {
    return { data, shape };
  }
  if (data instanceof BigInt64Array) {
    const narrow = new Int32Array(data.length);
    data.forEach((value, i) => {
      const number = Number(value);
      if (number !== (number | 0)) {
        throw new Failure('network-failed', `the output ${name} has ${value}, which 32 bits cannot hold`);
      }
      narrow[i] = number;
    });
    return { data: narrow, shape };
  }
  throw new Failure('network-failed', `the output ${name} is of type ${result.type}, which is not used here`);
}
