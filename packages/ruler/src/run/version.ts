/** Of this package; the product takes only a ruler of its own version. A test compares it with package.json. */
export const RULER_VERSION = '0.2.0';
