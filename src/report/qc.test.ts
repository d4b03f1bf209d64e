/** The page of a result: what it is told stands on it as text, whatever it holds. */
import { expect, it } from 'vitest';
import { IDENTITY } from '../volume/affine.js';
import { headGrid, syntheticHead } from '../volume/testing/synthetic-head.js';
import { qcPage } from './qc.js';

const { volume } = syntheticHead({ grid: headGrid({ spacing: [8, 8, 8] }) });
const NASTY = `<img src="x" onerror='alert(1)'>&`;

it('shows checks, options and models as they are said, and none of them as markup', () => {
  const out = qcPage({
    result: volume,
    altered: { grid: volume.grid, data: new Uint8Array(volume.data.length) },
    pose: IDENTITY,
    checks: { [NASTY]: { passed: false, value: NASTY }, other: { passed: true, value: 3 } },
    provenance: {
      version: '1',
      method: NASTY,
      reference: NASTY,
      models: [{ name: NASTY, version: NASTY, sha256: NASTY }],
      options: { [NASTY]: NASTY, noise: false },
      stages: { [NASTY]: 1.5 },
    },
  });
  const pictures = out.match(/<img alt="[\w ,:]+" src="data:image\/png;base64,[\w+/=]+"\/>/g);
  expect(pictures).toHaveLength(5);
  expect(out.match(/<img/g)).toHaveLength(5);
  expect(out.match(/&lt;img src=/g)).toHaveLength(10);
  expect(out).toContain('1 checks failed.');
  expect(out).toContain('<tr><th scope="row">option noise</th><td>false</td></tr>');
  expect(out).not.toContain('ORIGINAL');
});
