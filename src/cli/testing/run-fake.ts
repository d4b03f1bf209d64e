/** The command line with a fake method and a brain that it is given, in this process; what it says is kept. */
import { fakeServices, simpleHead } from '../../deidentify/testing/fixtures.js';
import { MethodRegistry } from '../../methods/registry.js';
import { fakeMethod } from '../../methods/testing/fake-method.js';
import { nodeGzip } from '../../node/gzip.js';
import type { Mask, Volume } from '../../volume/volume.js';
import { runCli } from '../program.js';

export interface Ran {
  readonly code: number;
  readonly out: string;
  readonly err: string;
}

/** @param brain Values of the mask that is found in every scan, on the scan's grid: 0 or 1; or what finds it. */
export async function runFake(
  brain: Uint8Array | ((volume: Volume) => Mask),
  args: readonly string[],
  method = fakeMethod(),
): Promise<Ran> {
  let [out, err] = ['', ''];
  const code = await runCli(args, {
    methods: new MethodRegistry().register(method),
    makeHead: simpleHead,
    makeNetworks: () => fakeServices(nodeGzip).networks,
    extractBrain: async (volume: Volume) => ({
      mask: typeof brain === 'function' ? brain(volume) : { grid: volume.grid, data: brain },
    }),
    stdout: { write: (text) => (out += text) },
    stderr: { write: (text) => (err += text) },
  });
  return { code, out, err };
}
