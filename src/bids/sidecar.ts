/**
 * JSON sidecars of results, by allow-list: a key is written when it is known to say how a scan was made and its value is of the kind
 * that the key has, numbers in a plausible range or words of a list. Whatever else the original's sidecars hold is left behind.
 *
 * @example
 * const { kept, left } = safeSidecar(inherited, []); // left: keys, never values
 */
import { personalIn } from './personal.js';

type Kind = (value: unknown) => unknown;

const number =
  (low: number, high: number): Kind =>
  (value) =>
    typeof value === 'number' && value >= low && value <= high ? value : undefined;

/** A list of numbers, or of such lists. */
const numbers =
  (low: number, high: number): Kind =>
  (value) => {
    const fits = (each: unknown): boolean =>
      (typeof each === 'number' && each >= low && each <= high) || (Array.isArray(each) && each.every(fits));
    return Array.isArray(value) && value.length <= 4096 && value.every(fits) ? value : undefined;
  };

const either =
  (...kinds: readonly Kind[]): Kind =>
  (value) => {
    for (const kind of kinds) {
      const kept = kind(value);
      if (kept !== undefined) return kept;
    }
    return undefined;
  };

const truth: Kind = (value) => (typeof value === 'boolean' ? value : undefined);

/** One of a list, as the list writes it. */
const oneOf = (...words: readonly string[]): Kind => {
  const known = new Map(words.map((word) => [word.toLowerCase(), word]));
  return (value) => (typeof value === 'string' ? known.get(value.trim().toLowerCase()) : undefined);
};

/** One or several of a list, as text or as a list; the others are left out. */
const someOf = (...words: readonly string[]): Kind => {
  const one = oneOf(...words);
  return (value) => {
    const parts = Array.isArray(value) ? value : typeof value === 'string' ? value.split(/[\\_,\s]+/) : [];
    const kept = parts.map(one).filter((part) => part !== undefined);
    if (kept.length === 0) return undefined;
    return Array.isArray(value) ? kept : kept.join('_');
  };
};

const MAKERS: Kind = (value) => {
  const text = typeof value === 'string' ? value.toLowerCase() : '';
  for (const [part, name] of [
    ['siemens', 'Siemens'],
    ['philips', 'Philips'],
    ['ge medical', 'GE'],
    ['ge healthcare', 'GE'],
    ['uih', 'UIH'],
    ['united imaging', 'UIH'],
    ['canon', 'Canon'],
    ['toshiba', 'Toshiba'],
    ['hitachi', 'Hitachi'],
    ['fujifilm', 'Fujifilm'],
    ['bruker', 'Bruker'],
    ['hyperfine', 'Hyperfine'],
    ['esaote', 'Esaote'],
  ] as const)
    if (text.includes(part)) return name;
  return text.trim() === 'ge' ? 'GE' : undefined;
};

const SECONDS = number(0, 60);
const DIRECTION = oneOf('i', 'j', 'k', 'i-', 'j-', 'k-');

/** Key and kind of value. Free text, names, places, times of day, serial numbers, UIDs and comments have no row. */
const KEYS: Readonly<Record<string, Kind>> = {
  Modality: oneOf('MR'),
  Manufacturer: MAKERS,
  ManufacturersModelName: oneOf(
    ...'Prisma|Prisma_fit|MAGNETOM Prisma|MAGNETOM Prisma Fit|TrioTim|Trio|MAGNETOM Trio|Skyra|Skyra_fit|MAGNETOM Skyra|Verio|MAGNETOM Verio|Avanto|Avanto_fit|MAGNETOM Avanto|Aera|MAGNETOM Aera|Sola|MAGNETOM Sola|Vida|MAGNETOM Vida|Lumina|MAGNETOM Lumina|Altea|Allegra|Symphony|Sonata|SymphonyTim|Espree|Biograph_mMR|Investigational_Device_7T|MAGNETOM 7T|MAGNETOM Terra|Terra|Terra.X|Cima.X|Free.Max|Connectom|ConnectomA|Achieva|Achieva dStream|Ingenia|Ingenia CX|Ingenia Elition|Ingenia Elition X|Ingenia Ambition|Ingenia Ambition X|Intera|Gyroscan Intera|Panorama|MR 7700|Signa HDxt|SIGNA HDxt|Signa HDx|SIGNA EXCITE|GENESIS_SIGNA|DISCOVERY MR750|DISCOVERY MR750w|DISCOVERY MR450|SIGNA Premier|SIGNA Architect|SIGNA Artist|SIGNA PET/MR|SIGNA UHP|Optima MR450w|uMR 790|uMR 780|uMR 770|uMR 680|uMR 570|uMR 890|uMR Omega|Titan|Vantage Titan|Vantage Galan|Swoop'.split(
      '|',
    ),
  ),
  MagneticFieldStrength: number(0, 25),
  ImagingFrequency: number(0, 1100),
  MRAcquisitionType: oneOf('1D', '2D', '3D'),
  ScanningSequence: someOf('SE', 'IR', 'GR', 'EP', 'RM'),
  SequenceVariant: someOf('SK', 'MTC', 'SS', 'TRSS', 'SP', 'MP', 'OSP', 'TOF', 'NONE'),
  ScanOptions: someOf(
    ...'PER RG CG PPG FC PFF PFP SP FS FATSAT SPIR SPAIR WE SAT1 SAT2 IR GEMS FAT_GEMS ACC_GEMS EDR_GEMS FILTERED_GEMS PFP_GEMS NPW VB_GEMS SQ SAT DIXF DIXW'.split(
      ' ',
    ),
  ),
  PulseSequenceType: oneOf(
    ...'MPRAGE|MP2RAGE|MEMPRAGE|SPGR|FSPGR|BRAVO|FLASH|bSSFP|SPACE|CUBE|VISTA|TSE|FSE|Turbo Spin Echo|Fast Spin Echo|FLAIR|GRASE|EPI|Spin Echo EPI|Gradient Echo EPI|Spin Echo|Gradient Echo|MEGRE|MESE'.split(
      '|',
    ),
  ),
  RepetitionTime: SECONDS,
  RepetitionTimeExcitation: SECONDS,
  RepetitionTimePreparation: either(SECONDS, numbers(0, 60)),
  EchoTime: either(number(0, 2), numbers(0, 2)),
  EchoTime1: number(0, 2),
  EchoTime2: number(0, 2),
  EchoNumber: number(0, 1024),
  EchoTrainLength: number(0, 4096),
  InversionTime: number(0, 60),
  FlipAngle: either(number(0, 360), numbers(0, 360)),
  NumberShots: either(number(0, 65_536), numbers(0, 65_536)),
  NumberOfAverages: number(0, 4096),
  SliceThickness: number(0, 100),
  SpacingBetweenSlices: number(0, 100),
  SliceTiming: numbers(0, 60),
  SliceEncodingDirection: DIRECTION,
  PhaseEncodingDirection: DIRECTION,
  InPlanePhaseEncodingDirectionDICOM: oneOf('ROW', 'COL'),
  EffectiveEchoSpacing: number(0, 1),
  TotalReadoutTime: number(0, 10),
  DwellTime: number(0, 1),
  WaterFatShift: number(0, 1000),
  PixelBandwidth: number(0, 100_000),
  PartialFourier: number(0, 1),
  PercentPhaseFOV: number(0, 1000),
  PercentSampling: number(0, 1000),
  PhaseEncodingSteps: number(0, 65_536),
  AcquisitionMatrixPE: number(0, 65_536),
  ReconMatrixPE: number(0, 65_536),
  BaseResolution: number(0, 65_536),
  ParallelReductionFactorInPlane: number(0, 100),
  ParallelReductionFactorOutOfPlane: number(0, 100),
  ParallelAcquisitionTechnique: oneOf(
    'GRAPPA',
    'SENSE',
    'mSENSE',
    'CAIPIRINHA',
    'ARC',
    'ASSET',
    'Compressed SENSE',
  ),
  MultibandAccelerationFactor: number(0, 100),
  MTState: truth,
  MTOffsetFrequency: number(-1e6, 1e6),
  MTPulseBandwidth: number(0, 1e6),
  MTNumberOfPulses: number(0, 10_000),
  MTPulseDuration: number(0, 10_000),
  SpoilingState: truth,
  SpoilingType: oneOf('RF', 'GRADIENT', 'COMBINED'),
  SpoilingRFPhaseIncrement: number(0, 360),
  NonlinearGradientCorrection: truth,
  MatrixCoilMode: oneOf('GRAPPA', 'SENSE', 'Triple', 'Auto (Triple)', 'None'),
  MRTransmitCoilSequence: oneOf('BODY'),
  BodyPartExamined: oneOf('HEAD', 'BRAIN', 'SKULL', 'NECK', 'HEADNECK'),
  PatientPosition: oneOf('HFS', 'HFP', 'HFDR', 'HFDL', 'FFS', 'FFP', 'FFDR', 'FFDL'),
  ContrastBolusIngredient: oneOf('IODINE', 'GADOLINIUM', 'CARBON DIOXIDE', 'BARIUM', 'XENON'),
  ImageType: someOf(
    ...'ORIGINAL DERIVED PRIMARY SECONDARY M P R I NORM DIS2D DIS3D ND MPR OTHER MAGNITUDE PHASE M_FFE M_SE M_IR FFE SE IR MEAN UNI INV1 INV2'.split(
      ' ',
    ),
  ),
  Units: oneOf('arbitrary', 'Hz', 'rad', 's', 'ms', 'T'),
  VolumeTiming: numbers(0, 1e6),
  NumberOfVolumesDiscardedByScanner: number(0, 1e5),
  DelayTime: number(0, 60),
  ArterialSpinLabelingType: oneOf('CASL', 'PCASL', 'PASL'),
  PostLabelingDelay: either(number(0, 60), numbers(0, 60)),
  LabelingDuration: either(number(0, 60), numbers(0, 60)),
  BackgroundSuppression: truth,
  M0Type: oneOf('Separate', 'Included', 'Estimate', 'Absent'),
  TotalAcquiredPairs: number(0, 1e5),
  VascularCrushing: truth,
  BolusCutOffFlag: truth,
  BolusCutOffDelayTime: either(number(0, 60), numbers(0, 60)),
  BolusCutOffTechnique: oneOf('QUIPSS', 'QUIPSSII', 'Q2TIPS'),
};

export interface SafeSidecar {
  readonly kept: Readonly<Record<string, unknown>>;
  /** Keys that were left behind, in the order of the original; never their values. */
  readonly left: readonly string[];
}

/** Names of keys that say how a scan was made have this shape; another may itself be a name or a number of somebody's. */
const KEY_SHAPE = /^[A-Z][A-Za-z0-9]{1,63}$/;

/**
 * @param sidecar what an image inherits from all its sidecars
 * @param asked keys that the user also wants: kept where they hold numbers, truth values or short text in which nothing personal is found
 */
export function safeSidecar(
  sidecar: Readonly<Record<string, unknown>>,
  asked: readonly string[] = [],
): SafeSidecar {
  const kept: Record<string, unknown> = {};
  const left: string[] = [];
  for (const [key, value] of Object.entries(sidecar)) {
    const kind = Object.hasOwn(KEYS, key) ? KEYS[key] : undefined;
    const safe = kind?.(value) ?? (asked.includes(key) && KEY_SHAPE.test(key) ? harmless(value) : undefined);
    if (safe === undefined) left.push(key);
    else kept[key] = safe;
  }
  return { kept, left };
}

/** What the user asked for, unless it looks personal. */
function harmless(value: unknown): unknown {
  if (typeof value === 'boolean') return value;
  if (typeof value === 'number') return personalIn(String(value)) === undefined ? value : undefined;
  if (typeof value === 'string')
    return value.length <= 200 && personalIn(value) === undefined ? value : undefined;
  if (Array.isArray(value)) return value.every((each) => harmless(each) !== undefined) ? value : undefined;
  return undefined;
}

/** Keys that converters write and that are left behind. Others are counted and not named: a key may be somebody's name. */
const KNOWN_LEFT = new Set(
  `AccessionNumber AcquisitionDate AcquisitionDateTime AcquisitionNumber AcquisitionTime BidsGuess CoilCombinationMethod CoilString
  ContentDate ContentTime ConversionSoftware ConversionSoftwareVersion DeviceSerialNumber HeudiconvVersion ImageComments
  ImageOrientationPatientDICOM InstanceCreationDate InstanceCreationTime InstitutionAddress InstitutionName InstitutionalDepartmentName
  IntendedFor NameOfPhysiciansReadingStudy NonParallelReductionFactor Operator OperatorsName PatientAge PatientBirthDate PatientID
  PatientName PatientSex PatientSize PatientWeight PerformedProcedureStepDescription PerformedProcedureStepStartDate
  PerformedProcedureStepStartTime PhoenixPTXMode PhysiciansOfRecord PrescanReuseString ProcedureStepDescription ProtocolName
  PulseSequenceDetails PulseSequenceName RawImage ReceiveCoilActiveElements ReceiveCoilName ReferringPhysicianName
  RequestedProcedureDescription SAR SequenceName SeriesDate SeriesDescription SeriesInstanceUID SeriesNumber SeriesTime ShimSetting
  SoftwareVersions StationName StudyDate StudyDescription StudyID StudyInstanceUID StudyTime TablePosition TxRefAmp WipMemBlock
  dcmmeta_affine dcmmeta_reorient_transform dcmmeta_shape dcmmeta_slice_dim dcmmeta_version global time`.split(
    /\s+/,
  ),
);

/** Which of the keys that were left behind may be said. */
export function sayable(keys: readonly string[]): string[] {
  return keys.filter((key) => KNOWN_LEFT.has(key) || Object.hasOwn(KEYS, key));
}
