/**
 * A folder of DICOM, person by person: the head is drawn once, for the series that shows the brain best, and placed in every other one.
 * A series appears with all of its files, each treated and verified, or not at all; what was not treated is in the report.
 *
 * @example
 * const report = await runDicom({ input: 'in', output: 'out', dates: 'remove', retained: NOTHING, keyed, keyGiven: false }, treatment, services);
 */
import { mkdirSync, readdirSync, realpathSync } from 'node:fs';
import { resolve } from 'node:path';
import type { FaceState } from '../../deidentify/face-state.js';
import { VERSION } from '../../deidentify/version.js';
import type { Keyed } from '../../dicom/keyed.js';
import type { DicomReport, RefusedEntry, TreatedEntry } from '../../dicom/report.js';
import { type Dates, type Retained, retainedNames } from '../../dicom/retain.js';
import { type FoundPerson, type FoundSeries, groupSlices } from '../../dicom/series.js';
import { Refusal } from '../../errors/errors.js';
import type { BadEnd } from '../batch-state.js';
import { rememberingHead } from '../bids/one-head.js';
import { requireApart, wouldBe } from '../bids/places.js';
import { codeOf } from '../error-code.js';
import type { ScanServices, ScanTreatment } from '../scan-job.js';
import { type BrokenSeries, type FoundDicom, findDicom } from './find.js';
import type { InputFile } from './input-file.js';
import { type Mapping, openMapping } from './mapping.js';
import { placeSeries } from './place.js';
import { treatSeries } from './treat-series.js';

export interface DicomJob {
  readonly input: string;
  /** A folder that is empty or not there. */
  readonly output: string;
  readonly dates: Dates;
  readonly retained: Retained;
  readonly keyed: Keyed;
  readonly keyGiven: boolean;
  /** A file for what leads from new to old. */
  readonly mapping?: string;
}

export interface DicomServices {
  /** For each series anew, as its stages are timed. */
  services(): ScanServices;
  /** Says what an error was. Rethrows what ends the run. */
  endOf(error: unknown): BadEnd;
  readonly onSeries?: (done: number, of: number) => void;
}

/** @throws {Refusal} option-invalid, output-exists, output-unwritable, not-readable, not-an-image (no series of MR) */
export async function runDicom(
  job: DicomJob,
  treatment: ScanTreatment,
  services: DicomServices,
): Promise<DicomReport> {
  const output = openOutput(job);
  const found = await findDicom(job.input, services.services().signal);
  try {
    const people = groupSlices(found.slices, found.objects).sort(byPlace(job.keyed));
    if (people.length === 0 && found.broken.length === 0)
      throw new Refusal(
        'not-an-image',
        `expected series of MR images in the input, found none${leftSaid(found)}`,
      );
    const mapping =
      job.mapping === undefined ? undefined : openMapping(job.mapping, job, job.keyed.fingerprint());
    const run = new Run({ ...job, output }, treatment, services, { ...found, mapping });
    return await run.all(people);
  } finally {
    found.close();
  }
}

/** Made when a series has its place: a run that is refused leaves nothing. */
function openOutput({ input, output }: DicomJob): string {
  const wanted = resolve(output);
  requireApart(wouldBe(resolve(input)), wouldBe(wanted), 'input', 'output');
  try {
    if (readdirSync(wanted).length > 0)
      throw new Refusal(
        'output-exists',
        'expected an output folder that is empty or not there, found one with files',
      );
  } catch (cause) {
    if (cause instanceof Refusal) throw cause;
    if (codeOf(cause) !== 'ENOENT')
      throw new Refusal(
        'output-unwritable',
        `expected an output folder that can be read (${codeOf(cause)})`,
        { cause },
      );
  }
  return wanted;
}

function leftSaid({ left }: FoundDicom): string {
  const said = [...left].map(([what, files]) => `${files} x ${what}`);
  return said.length === 0 ? '' : ` (${said.join(', ')})`;
}

/** An order that says nothing of the input's, the same with the same key. */
function byPlace(keyed: Keyed): (a: FoundPerson<InputFile>, b: FoundPerson<InputFile>) => number {
  return (a, b) => (keyed.place(a.key) < keyed.place(b.key) ? -1 : 1);
}

class Run {
  readonly #job: DicomJob;
  readonly #treatment: ScanTreatment;
  readonly #services: DicomServices;
  readonly #found: FoundDicom;
  readonly #mapping: Mapping | undefined;
  readonly #treated: TreatedEntry[] = [];
  readonly #refused: RefusedEntry[] = [];
  /** Folders of studies and how many series each has. */
  readonly #studies = new Map<string, { readonly folder: string; series: number }>();
  readonly #patients = new Map<string, string>();

  constructor(
    job: DicomJob,
    treatment: ScanTreatment,
    services: DicomServices,
    { mapping, ...found }: FoundDicom & { readonly mapping: Mapping | undefined },
  ) {
    this.#mapping = mapping;
    this.#job = job;
    this.#treatment = treatment;
    this.#services = services;
    this.#found = found;
  }

  async all(people: readonly FoundPerson<InputFile>[]): Promise<DicomReport> {
    const total = people.reduce((sum, { series }) => sum + series.length, 0);
    let done = 0;
    for (const person of people) {
      let face: FaceState | undefined;
      const treatment = this.#treatmentOf();
      for (const series of person.series) {
        face = (await this.#one(person, series, treatment, face)) ?? face;
        this.#services.onSeries?.(++done, total);
      }
    }
    // Of these not a single slice could be used.
    const unseen = this.#found.broken.filter(
      (broken, i, all) =>
        !isAmong(broken, people) && all.findIndex((other) => sameSeries(other, broken)) === i,
    );
    for (const broken of unseen)
      this.#refuse(broken.person, broken.series, this.#brokenFiles(broken), asEnded(broken.why));
    this.#mapping?.save();
    return this.#report();
  }

  /** A seed is taken as it is given, as `deid` takes it: nothing that a header says of a person shapes a face. */
  #treatmentOf(): ScanTreatment {
    const { method } = this.#treatment;
    return {
      ...this.#treatment,
      ...(method.kind === 'remodel' ? { method: rememberingHead(method) } : {}),
    };
  }

  /** @returns the head, if it was drawn here */
  async #one(
    person: FoundPerson<InputFile>,
    series: FoundSeries<InputFile>,
    treatment: ScanTreatment,
    face: FaceState | undefined,
  ): Promise<FaceState | undefined> {
    const { keyed, dates, retained, output } = this.#job;
    const count = series.stacks.reduce((sum, { length }) => sum + length, series.objects.length);
    const broken = this.#found.broken.find((other) => sameSeries(other, { ...series, person: person.key }));
    if (broken !== undefined) {
      this.#refuse(person.key, series.series, count + this.#brokenFiles(broken), asEnded(broken.why));
      return undefined;
    }
    const services = this.#services.services();
    try {
      const { method } = treatment;
      const removes = method.kind === 'remove';
      const mapping = this.#mapping;
      const cleaning = {
        ...{ keyed, person: person.key, dates, retained, method: method.name, removes },
        ...(mapping === undefined ? {} : { onUid: mapping.uid }),
      };
      const done = await treatSeries(series, cleaning, treatment, services, face);
      services.onStage('write');
      this.#write(person.key, series);
      mkdirSync(output, { recursive: true });
      const folder = this.#folderFor(person.key, series);
      placeSeries(realpathSync(output), folder, done.files);
      this.#study(person.key, series.study).series++;
      const stages = services.stages();
      const seconds = Object.values(stages).reduce((sum, s) => sum + s, 0);
      this.#treated.push({
        folder,
        files: done.files.length,
        stacks: done.stacks,
        role: removes ? 'alone' : face === undefined ? 'anchor' : 'same head',
        warnings: done.warnings,
        seconds: Number(seconds.toFixed(2)),
        stages,
      });
      return done.face;
    } catch (error) {
      this.#refuse(person.key, series.series, count, this.#services.endOf(error));
      return undefined;
    }
  }

  /** Before the series appears: nothing is given away that cannot be led back. */
  #write(person: string, { stacks, objects }: FoundSeries<InputFile>): void {
    const facts = (stacks[0]?.[0]?.slice ?? objects[0]?.frames[0])?.person;
    if (this.#mapping === undefined || facts === undefined) return;
    const { keyed, dates } = this.#job;
    this.#mapping.person({
      patientId: facts.id,
      ...(facts.id === '' ? { patientName: facts.name } : {}),
      newPatientId: keyed.patientId(person),
      ...(dates === 'shift' ? { daysBack: keyed.days(person) } : {}),
    });
    this.#mapping.save();
  }

  #patient(person: string): string {
    const known = this.#patients.get(person) ?? `patient-${two(this.#patients.size + 1)}`;
    this.#patients.set(person, known);
    return known;
  }

  #study(person: string, study: string): { readonly folder: string; series: number } {
    const patient = this.#patient(person);
    const key = `${patient} ${study}`;
    const ofPatient = [...this.#studies.keys()].filter((other) => other.startsWith(`${patient} `)).length;
    const known = this.#studies.get(key) ?? { folder: `${patient}/study-${two(ofPatient + 1)}`, series: 0 };
    this.#studies.set(key, known);
    return known;
  }

  #folderFor(person: string, { study }: FoundSeries<InputFile>): string {
    const { folder, series } = this.#study(person, study);
    return `${folder}/series-${two(series + 1)}`;
  }

  #brokenFiles(series: SeriesKey): number {
    return this.#found.broken.filter((other) => sameSeries(other, series)).length;
  }

  #refuse(person: string, series: string, files: number, { status, reason, message }: BadEnd): void {
    const seriesUid = this.#job.keyed.uid(series);
    this.#mapping?.uid(series, seriesUid);
    this.#refused.push({ patient: this.#patient(person), seriesUid, files, status, reason, message });
  }

  #report(): DicomReport {
    const { dates, retained, keyGiven } = this.#job;
    return {
      version: VERSION,
      method: this.#treatment.method.name,
      dates,
      retained: retainedNames(retained),
      key: keyGiven ? 'given' : 'random',
      treated: this.#treated,
      refused: this.#refused,
      leftOut: [...this.#found.left].map(([what, files]) => ({ what, files })),
      copies: this.#found.copies,
    };
  }
}

function two(n: number): string {
  return String(n).padStart(2, '0');
}

function asEnded(message: string): BadEnd {
  return { status: 'refused', reason: 'header-invalid', message };
}

type SeriesKey = Pick<BrokenSeries, 'study' | 'series' | 'person' | 'enhanced'>;

function sameSeries(a: SeriesKey, b: SeriesKey): boolean {
  return a.series === b.series && a.study === b.study && a.person === b.person && a.enhanced === b.enhanced;
}

function isAmong(broken: BrokenSeries, people: readonly FoundPerson<InputFile>[]): boolean {
  return people.some(({ key, series }) => series.some((one) => sameSeries(broken, { ...one, person: key })));
}
