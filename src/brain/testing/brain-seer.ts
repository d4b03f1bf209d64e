/**
 * Stand-ins for the two networks of brain extraction, for scans of a bright brain in the dark: brain is what is bright.
 *
 * @example
 * const networks = new BrainSeer();
 * await extractBrain(volume, networks);
 */
import { Failure } from '../../errors/errors.js';
import type { ModelDescription } from '../../networks/catalogue.js';
import type { NetworkRunner, Tensor } from '../../networks/runner.js';
import { readModel } from '../../node/networks/node-models.js';
import { BRAIN_MODEL } from '../crop.js';
import { FINDER_MODEL } from '../finder.js';

export type Answer = (image: Float32Array, call: number, width: number) => Float32Array;

export class BrainSeer implements NetworkRunner {
  readonly calls: { name: string; image: Tensor }[] = [];
  constructor(
    /** Logits of the extraction; `call` counts from 1. */
    readonly answer: Answer = (image) => image.map((v) => (v > 0.25 ? 8 : -8)),
  ) {}

  async run(name: string, feeds: Readonly<Record<string, Tensor>>): Promise<Record<string, Tensor>> {
    const image = feeds.image as Tensor;
    const data = image.data as Float32Array;
    this.calls.push({ name, image });
    const call = this.calls.filter((past) => past.name === name).length;
    if (name !== BRAIN_MODEL && name !== FINDER_MODEL)
      throw new Failure('internal', `no stand-in for ${name}`);
    const logits =
      name === FINDER_MODEL
        ? data.map((v) => (v > 0.5 ? 8 : -8))
        : this.answer(data, call, image.shape[4] as number);
    return logits.length === 0 ? {} : { logits: { data: logits, shape: image.shape } };
  }

  /** What ships: it is these networks' sizes that are asked for. */
  describe(name: string): Promise<ModelDescription> {
    return readModel(name);
  }

  async close(): Promise<void> {}
}
