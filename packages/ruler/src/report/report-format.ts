/**
 * Numbers as people read them.
 *
 * @example
 * formatCell({ value: 0.25, low: 0.1, high: 0.4, n: 18 }, 'percent'); // '25.0 % (10.0 to 40.0), n = 18'
 */
import type { Cell, Unit } from './results.js';

interface Style {
  readonly factor: number;
  readonly digits: number;
  readonly suffix: string;
  readonly signed?: boolean;
}

const STYLES: Readonly<Record<Unit, Style>> = {
  percent: { factor: 100, digits: 1, suffix: ' %' },
  'signed-percent': { factor: 100, digits: 2, suffix: ' %', signed: true },
  share: { factor: 1, digits: 3, suffix: '' },
  count: { factor: 1, digits: 0, suffix: '' },
  mm: { factor: 1, digits: 2, suffix: ' mm' },
  ml: { factor: 1, digits: 2, suffix: ' ml' },
  years: { factor: 1, digits: 2, suffix: ' years', signed: true },
  seconds: { factor: 1, digits: 2, suffix: ' s' },
  MB: { factor: 1, digits: 0, suffix: ' MB' },
};

/** A number in a unit; 'none' when it is not finite. */
export function formatNumber(value: number, unit: Unit): string {
  if (!Number.isFinite(value)) return 'none';
  const { factor, digits, signed } = STYLES[unit];
  const text = (value * factor).toFixed(digits);
  // '-0.00' would look like a direction.
  const plain = Number(text) === 0 ? text.replace('-', '') : text;
  return signed === true && Number(plain) > 0 ? `+${plain}` : plain;
}

export function unitSuffix(unit: Unit): string {
  return STYLES[unit].suffix;
}

/** Value, interval and count. */
export function formatCell(cell: Cell, unit: Unit): string {
  const interval =
    cell.low === undefined ||
    cell.high === undefined ||
    !Number.isFinite(cell.low) ||
    !Number.isFinite(cell.high)
      ? ''
      : ` (${formatNumber(cell.low, unit)} to ${formatNumber(cell.high, unit)})`;
  const value = formatNumber(cell.value, unit);
  return `${value}${Number.isFinite(cell.value) ? STYLES[unit].suffix : ''}${interval}, n = ${cell.n}`;
}
