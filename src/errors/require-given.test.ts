import { describe, expect, it } from 'vitest';
import { Refusal } from './errors.js';
import { requireGiven } from './require-given.js';

const message = (value: unknown, parts?: readonly string[]): string | undefined => {
  try {
    requireGiven(value, 'an image', parts);
    return undefined;
  } catch (error) {
    if (error instanceof Refusal) return `${error.tag}: ${error.message}`;
    throw error;
  }
};

describe('requireGiven', () => {
  it('says in words what is missing, and takes the rest', () => {
    expect(message(undefined)).toBe('option-invalid: expected an image, found undefined');
    expect(message(null)).toBe('option-invalid: expected an image, found null');
    expect(message('a.nii')).toBe('option-invalid: expected an image, found string');
    expect(message({ grid: 1 }, ['grid', 'stored'])).toBe(
      'option-invalid: expected an image, found an object without "stored"',
    );
    expect(message({ grid: 1, stored: 0 }, ['grid', 'stored'])).toBeUndefined();
    expect(message([])).toBeUndefined();
  });
});
