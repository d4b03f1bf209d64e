/**
 * One person of a data set: the head is drawn once, for the first image that shows a brain, and placed in every other one. Each
 * image appears after its own treatment and verification or not at all, and its record says which.
 *
 * @example
 * const counts = await treatSubject(plan, context, { alone: false });
 */
import { rmSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { brainMaskOf } from '../../bids/dataset.js';
import type { FileTree } from '../../bids/file-tree.js';
import { type PlannedGroup, type PlannedImage, resultFiles, type SubjectPlan } from '../../bids/plan.js';
import type { ScanRecord } from '../../bids/record.js';
import { cleanHeader } from '../../deidentify/clean-header.js';
import type { FaceState } from '../../deidentify/face-state.js';
import type { Deidentified } from '../../deidentify/pipeline.js';
import { parseSeed } from '../../deidentify/seed.js';
import { Failure } from '../../errors/errors.js';
import type { Seed } from '../../methods/method.js';
import { OUT_OF_MEMORY } from '../batch.js';
import type { BadEnd } from '../batch-state.js';
import { nodeGzip } from '../gzip.js';
import { loadImage } from '../image-files.js';
import { Outputs } from '../outputs.js';
import { runScanJob, type ScanServices, type ScanTreatment } from '../scan-job.js';
import { stageImage } from '../staged-images.js';
import { asRefusal, exists, makeFolder, removeEmpty } from './disk.js';
import { rememberingHead } from './one-head.js';
import { type Places, requireInside } from './places.js';
import type { Records } from './records.js';
import { fileDigest, keyOf } from './scan-key.js';
import { checksOf, type Shown, shownOf } from './shown.js';
import { defaceMaskSidecar, type SidecarOptions, type Sidecars, sidecarsOf } from './sidecars.js';

export interface SubjectContext {
  readonly places: Places;
  readonly tree: FileTree;
  readonly records: Records;
  readonly treatment: ScanTreatment;
  readonly sidecars: SidecarOptions;
  /** Also writes masks of the new voxels. */
  readonly defaceMask: boolean;
  /** A derivative with masks of brains, by its folder: used where it has one. */
  readonly masks?: { readonly tree: FileTree; readonly folder: string };
  services(): ScanServices;
  /** Says what an error was. Rethrows what ends the run. */
  endOf(error: unknown): BadEnd;
}

/** Thrown when the system ended a process that treated an image of this subject, so that the subject is tried again alone. */
export class KilledBySystem extends Error {
  constructor() {
    super('a process was ended by the system');
    this.name = 'KilledBySystem';
  }
}

interface Piece {
  readonly group: PlannedGroup;
  readonly sidecars: readonly Sidecars[];
  /** Of the images alone; what else the result depends on is added. */
  readonly digests: readonly string[];
  /** Of the first image. */
  readonly brainMask?: string;
}

/** How many images ended how. */
export interface SubjectCounts {
  done: number;
  refused: number;
  failed: number;
}

/**
 * @param options `alone`: nothing runs beside it, so that an image of which a process dies is refused
 * @throws {KilledBySystem} when a process was ended by the system and others ran beside it
 */
export async function treatSubject(
  plan: SubjectPlan,
  context: SubjectContext,
  { alone }: { readonly alone: boolean },
): Promise<SubjectCounts> {
  return new SubjectRun(plan, context, alone).run();
}

class SubjectRun {
  readonly #plan: SubjectPlan;
  readonly #context: SubjectContext;
  readonly #alone: boolean;
  readonly #treatment: ScanTreatment;
  readonly #counts: SubjectCounts = { done: 0, refused: 0, failed: 0 };
  /** The head of this run, and the key of the image that it was drawn for. */
  #drawn: { readonly face: FaceState; readonly key: string } | undefined;

  constructor(plan: SubjectPlan, context: SubjectContext, alone: boolean) {
    this.#plan = plan;
    this.#context = context;
    this.#alone = alone;
    const { treatment } = context;
    const { seed } = treatment;
    this.#treatment = {
      ...treatment,
      // Each person another face, and the same one each time.
      ...(seed === undefined ? {} : { seed: seedOfSubject(seed, plan.subject) }),
      ...(treatment.method.kind === 'remodel' ? { method: rememberingHead(treatment.method) } : {}),
    };
  }

  async run(): Promise<SubjectCounts> {
    const { treat, copy } = this.#plan;
    const alone = this.#treatment.method.kind === 'remove';
    const seeded = this.#treatment.seed !== undefined;
    const pieces: Piece[] = [];
    for (const group of treat) {
      const piece = await this.#piece(group);
      if (piece !== undefined) pieces.push(piece);
    }
    const anchored = this.#anchorOf(pieces);
    const whole =
      !alone &&
      anchored !== undefined &&
      pieces.every((piece) => this.#stands(piece, this.#keyOf(piece, anchored)));
    for (const piece of pieces) {
      const key = this.#keyOf(piece, whole ? anchored : this.#drawn?.key);
      // Without a seed what was drawn in an earlier run cannot be drawn again: a person who is not whole is begun anew.
      const kept =
        this.#stands(piece, key) &&
        (whole || alone || this.#isRefused(piece) || (seeded && this.#drawn !== undefined));
      if (kept) this.#remember(piece);
      else await this.#treat(piece, key);
    }
    for (const planned of copy) await this.#copy(planned);
    return this.#counts;
  }

  /** Reads what is asked before an image is touched; an image that cannot be read is refused here. */
  async #piece(group: PlannedGroup): Promise<Piece | undefined> {
    const { places, tree, sidecars } = this.#context;
    try {
      const digests: string[] = [];
      for (const { image } of group) {
        const file = join(places.input, image.path);
        requireInside(file, places.input);
        digests.push(await fileDigest(file));
      }
      const beside: Sidecars[] = [];
      for (const planned of group) beside.push(await sidecarsOf(tree, planned, sidecars));
      const { masks } = this.#context;
      const mask = masks === undefined ? undefined : await brainMaskOf(masks.tree, group[0].image);
      if (masks === undefined || mask === undefined) return { group, digests, sidecars: beside };
      const brainMask = join(masks.folder, mask);
      digests.push(await fileDigest(brainMask));
      return { group, digests, sidecars: beside, brainMask };
    } catch (error) {
      this.#end(group, '', asRefusal(error), this.#ours(group));
      return undefined;
    }
  }

  /** @param anchor key of the image that the head was drawn for; undefined for that image itself */
  #keyOf(piece: Piece, anchor: string | undefined): string {
    const { method, resolution, keep, brainMarginMm, noise, seed } = this.#treatment;
    const own = [
      piece.group.map(({ output }) => output),
      piece.sidecars.map(({ files, scan }) => [
        scan,
        files.map(({ bytes }) => Buffer.from(bytes).toString('base64')),
      ]),
      [method.name, resolution, keep, brainMarginMm ?? null, noise, this.#context.defaceMask],
      // Not to be had from it without the image.
      seed === undefined ? null : [...seed],
    ];
    const key = keyOf(piece.digests.join(' '), own);
    return anchor === undefined || anchor === key ? key : keyOf(key, anchor);
  }

  /** The key of the image that an earlier run drew the head for, if it stands. */
  #anchorOf(pieces: readonly Piece[]): string | undefined {
    for (const piece of pieces) {
      const key = this.#keyOf(piece, undefined);
      if (this.#record(piece)?.role === 'anchor' && this.#stands(piece, key) && !this.#isRefused(piece))
        return key;
    }
    return undefined;
  }

  #record({ group: [lead] }: Pick<Piece, 'group'>): ScanRecord | undefined {
    return this.#context.records.get(lead.image.path);
  }

  #isRefused(piece: Piece): boolean {
    return this.#record(piece)?.status === 'refused';
  }

  /** Whether every image ended as its record says, under this key. */
  #stands({ group }: Piece, key: string): boolean {
    return group.every(({ image, output }) => {
      const record = this.#context.records.get(image.path);
      if (record === undefined || record.key !== key) return false;
      if (record.status === 'refused') return true;
      return (
        record.status === 'done' &&
        record.output === output &&
        exists(join(this.#context.places.output, output))
      );
    });
  }

  #remember(piece: Piece): void {
    for (const { image } of piece.group)
      this.#count(this.#context.records.get(image.path)?.status === 'done' ? 'done' : 'refused');
  }

  async #treat(piece: Piece, key: string): Promise<void> {
    const { places, records, defaceMask, sidecars } = this.#context;
    const { group } = piece;
    const [lead, ...others] = group;
    let ours = this.#ours(group);
    const services = this.#context.services();
    let treated: Deidentified | undefined;
    let shown: readonly Shown[] = [];
    const face = this.#drawn?.face;
    const role =
      this.#treatment.method.kind === 'remove' ? 'alone' : face === undefined ? 'anchor' : 'same head';
    const mask = defaceMask ? defaceMaskSidecar(lead, sidecars) : undefined;
    try {
      for (const { image, output } of group) {
        records.put({ path: image.path, key, status: 'begun', output });
        makeFolder(join(places.output, dirname(output)));
      }
      const { seed, ...shared } = this.#treatment;
      const report = await runScanJob(
        {
          input: join(places.input, lead.image.path),
          output: join(places.output, lead.output),
          applyTo: others.map(({ image, output }, i) => ({
            input: join(places.input, image.path),
            output: join(places.output, output),
            scan: piece.sidecars[i + 1]?.scan ?? {},
          })),
          ...(piece.brainMask === undefined ? {} : { brainMask: piece.brainMask }),
          alongside: [...piece.sidecars.flatMap(({ files }) => files), ...(mask === undefined ? [] : [mask])],
          ...(mask === undefined ? {} : { saveAltered: mask.image }),
          // What stands there is of an earlier run, as the record says; an echo may have come since.
          force: ours.includes(true),
        },
        {
          ...shared,
          ...piece.sidecars[0]?.scan,
          ...(face === undefined ? (seed === undefined ? {} : { seed }) : { faceOf: face }),
          keepFace: role === 'anchor',
        },
        {
          ...services,
          onTreated: (done) => {
            treated = done;
            shown = group.map((_, i) => shownOf(done, i));
          },
        },
      );
      ours = group.map(() => true);
      if (treated === undefined) throw new Failure('internal', 'a scan was treated and nothing came of it');
      if (role === 'anchor' && treated.face !== undefined) this.#drawn = { face: treated.face, key };
      const seconds = Object.values(services.stages()).reduce((sum, s) => sum + s, 0);
      for (const [i, { image, output }] of group.entries()) {
        const suffix = i === 0 ? '' : `.${i + 1}`;
        records.put({
          path: image.path,
          key,
          status: 'done',
          output,
          role,
          warnings: [...(i === 0 ? report.warnings : []), ...(piece.sidecars[i]?.warnings ?? [])],
          checks: checksOf(report.checks, suffix),
          ...shown[i],
          figures: { ...shown[i]?.figures, ...(i === 0 ? { seconds: Number(seconds.toFixed(2)) } : {}) },
        });
        this.#count('done');
      }
    } catch (error) {
      const ended = this.#context.endOf(error);
      const killed = ended.status === 'failed' && ended.killed === true;
      if (killed && !this.#alone) throw new KilledBySystem();
      this.#end(group, key, killed ? OUT_OF_MEMORY : ended, ours);
    }
  }

  /** Whether what stands at each image's output is of an earlier run: it was begun, and did not end without a result. */
  #ours(group: readonly PlannedImage[]): readonly boolean[] {
    return group.map(({ image }) => {
      const status = this.#context.records.get(image.path)?.status;
      return status === 'begun' || status === 'done';
    });
  }

  /** What an earlier run made of an image, with all that came with it. */
  #takeAway(planned: PlannedImage): void {
    const { layout, removes, output } = this.#context.sidecars;
    for (const file of resultFiles(planned, layout, removes)) rmSync(join(output, file), { force: true });
  }

  async #copy(planned: PlannedImage): Promise<void> {
    const { places, tree, records, sidecars } = this.#context;
    const { image, output } = planned;
    const source = join(places.input, image.path);
    let ours = this.#ours([planned]);
    let key = '';
    try {
      requireInside(source, places.input);
      const beside = await sidecarsOf(tree, planned, sidecars, true);
      const names = beside.files.map(({ bytes }) => Buffer.from(bytes).toString('base64'));
      key = keyOf(await fileDigest(source), ['copied', output, names]);
      const target = join(places.output, output);
      const before = records.get(image.path);
      if (before?.key === key && before.status === 'done' && exists(target)) return this.#count('done');
      records.put({ path: image.path, key, status: 'begun', output });
      makeFolder(dirname(target));
      const outputs = new Outputs({ force: ours.includes(true), inputs: [source] });
      try {
        for (const { path, bytes } of beside.files) await outputs.stage(path, bytes);
        await stageImage(
          outputs,
          await cleanHeader(await loadImage(source, { allowConstant: true }), target, nodeGzip),
        );
        await outputs.commit();
        ours = [true];
      } finally {
        outputs.wipe();
      }
      records.put({
        path: image.path,
        key,
        status: 'done',
        output,
        role: 'copied',
        warnings: [...beside.warnings],
      });
      this.#count('done');
    } catch (error) {
      this.#end([planned], key, asRefusal(error), ours);
    }
  }

  /** @param ours whether what stands at an image's output is ours: it is not what stands in the records any more, and goes */
  #end(group: readonly PlannedImage[], key: string, error: unknown, ours: readonly boolean[]): void {
    const { status, reason, message } = isEnded(error) ? error : this.#context.endOf(error);
    const { output: root } = this.#context.places;
    for (const [i, planned] of group.entries()) {
      if (ours[i] === true) this.#takeAway(planned);
      removeEmpty(join(root, dirname(planned.output)), root);
      this.#context.records.put({ path: planned.image.path, key, status, reason, message });
      this.#count(status);
    }
  }

  #count(status: keyof SubjectCounts): void {
    this.#counts[status]++;
  }
}

function isEnded(value: unknown): value is BadEnd {
  return typeof value === 'object' && value !== null && !(value instanceof Error) && 'status' in value;
}

export function seedOfSubject(seed: Seed, subject: string): Seed {
  return parseSeed(`${[...seed].join(' ')} ${subject}`);
}
