/** An error is known by what it is, whichever copy of the package made it. */
import { expect, it, vi } from 'vitest';
import { Failure, isRefusal, Refusal } from './errors.js';

it('errors of another copy of this file are refusals and failures', async () => {
  vi.resetModules();
  const other = await import('./errors.js');
  expect(other.Refusal).not.toBe(Refusal);
  const refusal: unknown = new other.Refusal('mask-empty', 'expected a mask, found none');
  const failure: unknown = new other.Failure('internal', 'a defect');
  expect(refusal instanceof Refusal).toBe(true);
  expect(isRefusal(refusal, 'mask-empty')).toBe(true);
  expect(isRefusal(refusal, 'truncated')).toBe(false);
  expect(failure instanceof Failure).toBe(true);
});

it.each([
  ['another error', new Error('x')],
  ['the other kind', new Failure('internal', 'x')],
  ['no error at all', { name: 'Refusal', kind: 'refusal' }],
  ['nothing', undefined],
])('%s is no refusal', (_, value: unknown) => {
  expect(value instanceof Refusal).toBe(false);
});
