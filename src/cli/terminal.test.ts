import { describe, expect, it } from 'vitest';
import { jsonLine, printable, printableLines } from './terminal.js';

const EVIL = 'sub-\u001b]0;PWNED\u0007\u001b[2J\nFAKE\u009b2J\u202egnp.\u2028x\r';

describe('what reaches a terminal', () => {
  it('has no control characters of others in it', () => {
    expect(printable(EVIL)).toBe(
      'sub-\\u001b]0;PWNED\\u0007\\u001b[2J\\u000aFAKE\\u009b2J\\u202egnp.\\u2028x\\u000d',
    );
    expect(printable('Kopf \u{1f9e0} 頭 é')).toBe('Kopf \u{1f9e0} 頭 é');
    expect(printableLines('a\tb\nc\u001b')).toBe('a\tb\nc\\u001b');
  });

  it('is JSON that reads back the same, on one line', () => {
    const line = jsonLine({ name: EVIL });
    expect(line).toMatch(/^[\x20-\x7e]+\n$/);
    expect(JSON.parse(line)).toEqual({ name: EVIL });
  });
});
