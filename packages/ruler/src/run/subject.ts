/**
 * One subject at work: scan, brain, and everything that is derived from the original once. Nothing is read or
 * computed before it is asked for, so that a subject who is done costs only the reading of what is remembered.
 *
 * @example
 * const context = new SubjectContext(subject, place);
 * const { head } = await context.original();
 */
import { createHash } from 'node:crypto';
import { readFile } from 'node:fs/promises';
import { finiteVolume, type NetworkRunner, Refusal, VERSION } from 'prosopon';
import {
  type Head,
  type Mask,
  maskFromLabels,
  type PipelineServices,
  sameGrid,
  type Volume,
} from 'prosopon/imaging';
import { loadImage } from 'prosopon/node';
import type { Subject } from './cohort.js';
import type { Instruments, Segmented } from './instruments.js';
import { type FeatureStore, keyOf } from './store.js';

export interface Workplace {
  readonly store: FeatureStore;
  readonly networks: NetworkRunner & { readonly peakMemoryMb?: number };
  readonly instruments: Instruments;
  readonly services: Required<Pick<PipelineServices, 'extractBrain' | 'makeHead'>>;
  /** Changes when brain extraction does. */
  readonly brainKey: string;
  readonly signal: AbortSignal;
}

/** Where the brain mask of a subject comes from: the network, or (training heads) the reference labels, when there are any. */
export type MaskSource = 'network' | 'labels';

export interface OriginalHead {
  readonly volume: Volume;
  readonly head: Head;
}

export class SubjectContext {
  readonly subject: Subject;
  readonly place: Workplace;
  readonly #maskSource: MaskSource;
  #key: Promise<string> | undefined;
  #original: Promise<OriginalHead> | undefined;
  #labels: Promise<Segmented> | undefined;

  constructor(subject: Subject, place: Workplace, maskSource: MaskSource = 'network') {
    this.subject = subject;
    this.place = place;
    this.#maskSource = maskSource === 'labels' && subject.labels !== undefined ? 'labels' : 'network';
  }

  /** Of the scan's bytes and all that decides the brain. */
  key(): Promise<string> {
    this.#key ??= (async () => {
      const scan = createHash('sha256')
        .update(await readFile(this.subject.scan))
        .digest('hex');
      return keyOf(VERSION, scan, this.#maskSource, this.place.brainKey);
    })();
    return this.#key;
  }

  /**
   * The scan with its brain; the mask is found once and remembered.
   * @throws {Refusal} as reading and brain extraction do
   */
  original(): Promise<OriginalHead> {
    this.#original ??= this.#load();
    return this.#original;
  }

  async #load(): Promise<OriginalHead> {
    const volume = await loadVolume(this.subject.scan);
    const { store, services, networks, signal } = this.place;
    const name = [this.subject.id, 'original', `brain-${this.#maskSource}`];
    const key = await this.key();
    let data = store.read<Uint8Array>(name, key);
    if (data === undefined) {
      data = (
        this.#maskSource === 'labels'
          ? maskFromLabels(await this.referenceLabels(volume))
          : (await services.extractBrain(volume, networks, { signal })).mask
      ).data;
      store.write(name, key, data);
    }
    const mask: Mask = { grid: volume.grid, data };
    return { volume, head: services.makeHead(volume, mask) };
  }

  /** @throws {Refusal} dataset-invalid when there are none, or they are on another grid */
  async referenceLabels(volume: Volume): Promise<Volume> {
    if (this.subject.labels === undefined)
      throw new Refusal(
        'dataset-invalid',
        'expected reference labels under derivatives, found none for a subject',
      );
    const labels = await loadVolume(this.subject.labels, true);
    if (!sameGrid(labels.grid, volume.grid)) throw labelsElsewhere();
    return labels;
  }

  /** The original segmented under its own mask; the other side of every Dice. Only when the instrument is ready. */
  originalLabels(): Promise<Segmented> {
    this.#labels ??= (async () => {
      const { segment } = this.place.instruments;
      if (!segment.ready) return { failed: segment.reason };
      const name = [this.subject.id, 'original', 'labels'];
      const key = keyOf(await this.key(), segment.key);
      const known = this.place.store.read<Segmented>(name, key);
      if (known !== undefined) return known;
      const { volume, head } = await this.original();
      const { networks, signal } = this.place;
      const made = await segment.measure(
        { volume, brainMask: head.brainMask, pose: head.pose },
        networks,
        signal,
      );
      this.place.store.write(name, key, made);
      return made;
    })();
    return this.#labels;
  }
}

export function labelsElsewhere(): Refusal {
  return new Refusal(
    'dataset-invalid',
    'expected reference labels on the grid of their scan, found another grid; remove them or resample them',
  );
}

export async function loadVolume(path: string, allowConstant = false): Promise<Volume> {
  return finiteVolume(await loadImage(path, { allowConstant }));
}
