/** Sidecars as scanners and dcm2niix write them, to the sequences that they are. */
import { describe, expect, it } from 'vitest';
import type { Sequence } from '../brain/signal.js';
import { isRefusal } from '../errors/errors.js';
import { readAcquisition } from './acquisition.js';

const TABLE: readonly (readonly [name: string, sidecar: object, sequence: Sequence])[] = [
  [
    'MPRAGE of Siemens',
    {
      MagneticFieldStrength: 3,
      ScanningSequence: 'GR\\IR',
      SequenceVariant: 'SK\\SP\\MP',
      ScanOptions: 'IR',
      MRAcquisitionType: '3D',
      RepetitionTime: 2.3,
      EchoTime: 0.00298,
      InversionTime: 0.9,
      FlipAngle: 9,
    },
    {
      family: 'mprage',
      field: 3,
      repetition: 2300,
      echo: 2.98,
      inversion: 900,
      flip: 9,
      fatSuppressed: false,
    },
  ],
  [
    'MPRAGE of BIDS, with the interval between inversions beside that of the train',
    {
      MagneticFieldStrength: 3,
      ScanningSequence: ['GR', 'IR'],
      RepetitionTimePreparation: 2.53,
      RepetitionTimeExcitation: 0.0072,
      EchoTime: 0.0035,
      InversionTime: 1.1,
      FlipAngle: [7, 7],
    },
    {
      family: 'mprage',
      field: 3,
      repetition: 2530,
      echo: 3.5,
      inversion: 1100,
      flip: 7,
      fatSuppressed: false,
    },
  ],
  [
    'MPRAGE of Philips, whose repetition is that of the train',
    {
      MagneticFieldStrength: 3,
      ScanningSequence: 'GR',
      RepetitionTime: 0.008,
      EchoTime: 0.0037,
      InversionTime: 0.95,
      FlipAngle: 8,
    },
    {
      family: 'mprage',
      field: 3,
      repetition: 2500,
      spacing: 8,
      echo: 3.7,
      inversion: 950,
      flip: 8,
      fatSuppressed: false,
    },
  ],
  [
    'a train whose inversion is too late for the usual interval',
    { ScanningSequence: 'GR', RepetitionTime: 0.01, EchoTime: 0.004, InversionTime: 1.4, FlipAngle: 8 },
    {
      family: 'mprage',
      field: 3,
      repetition: 3080,
      spacing: 10,
      echo: 4,
      inversion: 1400,
      flip: 8,
      fatSuppressed: false,
    },
  ],
  [
    'SPGR of GE, with an inversion time of 0',
    {
      MagneticFieldStrength: 1.5,
      ScanningSequence: 'GR',
      SequenceVariant: 'SS\\SP',
      ScanOptions: 'FAST_GEMS\\EDR_GEMS',
      RepetitionTime: 0.024,
      EchoTime: 0.005,
      InversionTime: 0,
      FlipAngle: 30,
    },
    { family: 'gradient-echo', field: 1.5, repetition: 24, echo: 5, flip: 30, fatSuppressed: false },
  ],
  [
    'a turbo spin echo that refocuses by 150 degrees',
    {
      MagneticFieldStrength: 1.5,
      ScanningSequence: 'SE',
      SequenceVariant: 'SK\\SP\\OSP',
      EchoTrainLength: 15,
      RepetitionTime: 5.5,
      EchoTime: 0.1,
      FlipAngle: 150,
    },
    { family: 'spin-echo', field: 1.5, repetition: 5500, echo: 100, flip: 150, fatSuppressed: false },
  ],
  [
    'a FLAIR in three dimensions',
    {
      MagneticFieldStrength: 3,
      ScanningSequence: 'SE\\IR',
      MRAcquisitionType: '3D',
      RepetitionTime: 5,
      EchoTime: 0.39,
      InversionTime: 1.8,
      FlipAngle: 120,
    },
    {
      family: 'inversion-spin-echo',
      field: 3,
      repetition: 5000,
      echo: 117,
      inversion: 1800,
      flip: 120,
      fatSuppressed: false,
    },
  ],
  [
    'a FLAIR in three dimensions that says neither its kind nor a large angle',
    { RepetitionTime: 5, EchoTime: 0.39, InversionTime: 1.8, FlipAngle: 35 },
    {
      family: 'inversion-spin-echo',
      field: 3,
      repetition: 5000,
      echo: 117,
      inversion: 1800,
      flip: 35,
      fatSuppressed: false,
    },
  ],
  [
    'a gradient echo weighted by T2*',
    {
      MagneticFieldStrength: 7,
      ScanningSequence: 'GR',
      RepetitionTime: 0.65,
      EchoTime: 0.02,
      FlipAngle: 20,
    },
    { family: 'gradient-echo', field: 7, repetition: 650, echo: 20, flip: 20, fatSuppressed: false },
  ],
  [
    'a gradient echo that its small angle alone tells',
    { RepetitionTime: 0.02, EchoTime: 0.004, FlipAngle: 25 },
    { family: 'gradient-echo', field: 3, repetition: 20, echo: 4, flip: 25, fatSuppressed: false },
  ],
  [
    'times and no more: a spin echo at 3 T',
    { RepetitionTime: 0.5, EchoTime: 0.012 },
    { family: 'spin-echo', field: 3, repetition: 500, echo: 12, flip: 90, fatSuppressed: false },
  ],
];

describe('readAcquisition', () => {
  it.each(TABLE)('knows %s', (_, sidecar, sequence) => {
    const found = readAcquisition(sidecar);
    expect(Object.keys(found).sort()).toEqual(Object.keys(sequence).sort());
    for (const [key, value] of Object.entries(sequence)) {
      const there = found[key as keyof Sequence];
      if (typeof value === 'number') expect(there, key).toBeCloseTo(value, 9);
      else expect(there, key).toBe(value);
    }
  });

  const T2 = { ScanningSequence: 'SE', RepetitionTime: 5, EchoTime: 0.09 };
  it.each([
    [{ ScanOptions: 'FS' }, true],
    [{ ScanOptions: ['PFP', 'FS'] }, true],
    [{ ScanOptions: 'PFP\\FS\\SAT1' }, true],
    [{ ScanOptions: ['FAT_GEMS', 'EDR_GEMS'] }, true],
    [{ ScanOptions: 'spir' }, true],
    [{ SequenceVariant: 'SK\\WE' }, true],
    [{ ScanOptions: 'FAST_GEMS' }, false],
    [{ ScanOptions: ['PFP', 'SAT1'] }, false],
    [{ ScanOptions: '' }, false],
    [{}, false],
  ])('finds in %j that fat is suppressed: %s', (options, suppressed) => {
    expect(readAcquisition({ ...T2, ...options }).fatSuppressed).toBe(suppressed);
  });

  it('lets nothing through but what decides the contrast', () => {
    const secret = {
      PatientName: 'DOE^JANE',
      PatientID: '4711',
      PatientBirthDate: '19700101',
      PatientSex: 'F',
      InstitutionName: 'General Hospital',
      AcquisitionDateTime: '2024-03-05T10:11:12',
      DeviceSerialNumber: '166012',
      SeriesDescription: 'JANE DOE t2',
      ImageComments: { nested: 'DOE' },
    };
    const found = readAcquisition({ ...T2, ...secret });
    expect(found).toEqual(readAcquisition(T2));
    expect(JSON.stringify(found)).not.toMatch(/DOE|JANE|4711|1970|General|2024|166012/i);
  });
});

describe('readAcquisition refuses', () => {
  const refused = (json: unknown): unknown => {
    try {
      readAcquisition(json);
    } catch (error) {
      return error;
    }
    return undefined;
  };

  it.each([
    ['nothing at all', {}],
    ['no echo time', { RepetitionTime: 2.3, FlipAngle: 9 }],
    ['no repetition time', { EchoTime: 0.003 }],
    ['a time in words', { RepetitionTime: '2.3', EchoTime: 0.003 }],
    ['a repetition time of 0', { RepetitionTime: 0, EchoTime: 0.003 }],
    ['a negative echo time', { RepetitionTime: 2, EchoTime: -0.003 }],
    ['several echo times', { RepetitionTime: 2, EchoTime: [0.003, 0.006] }],
    ['null for a time', { RepetitionTime: 2, EchoTime: null }],
    ['a field of 0', { RepetitionTime: 2, EchoTime: 0.003, MagneticFieldStrength: 0 }],
    ['an angle in words', { RepetitionTime: 2, EchoTime: 0.003, FlipAngle: 'nine' }],
    ['an angle of 0', { RepetitionTime: 2, EchoTime: 0.003, FlipAngle: 0 }],
    ['scan options that are numbers', { RepetitionTime: 2, EchoTime: 0.003, ScanOptions: [1] }],
    ['null', null],
    ['a list', [{ RepetitionTime: 2, EchoTime: 0.003 }]],
    ['a text', 'RepetitionTime'],
    ['a number', 3],
  ])('%s', (_, json) => {
    expect(isRefusal(refused(json), 'acquisition-invalid')).toBe(true);
  });

  it('in words that name the key', () => {
    expect(String(refused({ RepetitionTime: 2, EchoTime: true }))).toContain('EchoTime');
  });
});

describe('a contrast agent', () => {
  const MPRAGE = { ScanningSequence: 'GR\\IR', RepetitionTime: 2.3, EchoTime: 0.003, InversionTime: 0.9 };
  const given = (more: object): boolean | undefined => readAcquisition({ ...MPRAGE, ...more }).contrastAgent;

  it.each([
    { ContrastBolusAgent: 'Gadovist' },
    { ContrastBolusAgent: 'MULTIHANCE 15 ML' },
    { ContrastBolusIngredient: 'GADOLINIUM' },
    { ContrastBolusIngredient: ['GADOLINIUM'], ContrastBolusAgent: 'none' },
  ])('is seen in %j', (more) => {
    expect(given(more)).toBe(true);
  });

  it.each([
    {},
    { ContrastBolusAgent: '' },
    { ContrastBolusAgent: 'NONE' },
    { ContrastBolusAgent: 'No' },
    { ContrastBolusAgent: 'n/a' },
    { ContrastBolusAgent: 'not given' },
    { ContrastBolusIngredient: 'IODINE', ContrastBolusAgent: 'x' },
  ])('is not seen in %j', (more) => {
    expect(given(more)).toBeUndefined();
  });
});
