/** The names that users may rely on: one that appears or is lost by accident fails here. */
import { readFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import * as browser from '../src/browser.js';
import * as imaging from '../src/imaging.js';
import * as neutral from '../src/index.js';
import * as node from '../src/node.js';

describe('the public library', () => {
  it('exports these values and no others', () => {
    expect(Object.keys(neutral).sort()).toEqual([
      'FAILURES',
      'Failure',
      'MethodRegistry',
      'REFUSALS',
      'Refusal',
      'VERSION',
      'VIEWS',
      'applyAffine',
      'castSurface',
      'checkResult',
      'createImage',
      'createMethods',
      'decodeImage',
      'deidentify',
      'encodeImage',
      'encodePng',
      'findBrain',
      'finiteVolume',
      'freshSeed',
      'fromOrt',
      'imageLike',
      'invert',
      'isRefusal',
      'makeHead',
      'multiply',
      'parseModelDescription',
      'parseSeed',
      'parseView',
      'prepareSurface',
      'qcPage',
      'sameGrid',
      'scaledData',
      'shade',
      'toOrt',
      'voxelCount',
      'voxelMillilitres',
      'voxelSizes',
    ]);
  });

  it('has these for Node', () => {
    expect(Object.keys(node).sort()).toEqual([
      'BatchState',
      'NodeNetworkRunner',
      'Outputs',
      'QUERIES',
      'SECTIONS',
      'StageTimer',
      'checkResult',
      'codeOf',
      'deidentify',
      'derivativeOf',
      'findBrain',
      'firstScans',
      'folderTree',
      'joinPath',
      'listModels',
      'loadImage',
      'lockFolder',
      'nodeDeflate',
      'nodeGzip',
      'packagedModels',
      'parseTsv',
      'readDataset',
      'readModel',
      'readTable',
      'replaceFile',
      'runBatch',
      'runScanJob',
      'sayLeft',
      'serveTasks',
      'threadsOf',
      'verifyModel',
    ]);
  });

  it('has these for browsers', () => {
    expect(Object.keys(browser).sort()).toEqual([
      'WorkerNetworkRunner',
      'browserGzip',
      'checkResult',
      'deidentify',
      'findBrain',
      'serveNetworks',
    ]);
  });

  it('has a door for each entry of the package, and imaging has what the ruler computes with', () => {
    const { exports } = JSON.parse(readFileSync(new URL('../package.json', import.meta.url), 'utf8')) as {
      exports: object;
    };
    expect(Object.keys(exports)).toEqual(['.', './node', './browser', './imaging', './package.json']);
    expect(imaging).toMatchObject({ VIEWS: neutral.VIEWS, makeHead: neutral.makeHead });
    expect(Object.keys(imaging).length).toBeGreaterThan(45);
  });

  it('says the version that the package has', () => {
    const manifest = JSON.parse(readFileSync(new URL('../package.json', import.meta.url), 'utf8')) as unknown;
    expect(manifest).toMatchObject({ version: neutral.VERSION });
  });
});
