#!/usr/bin/env bash
# Condition: two equal typed arrays of 300,000 bytes, compared by Vitest's toEqual and by node:assert's deepStrictEqual.
# A guess: equal typed arrays are compared as memory is, in well under a millisecond, by either.
# Seen with Vitest 4.1.12 on Node 20: toEqual takes seconds (about 7 to 12 microseconds an element, 3.5 s here, busy machine), as
# every element is compared by the recursive comparison; node:assert takes a millisecond. A custom equality tester that looks at
# the bytes first takes it down to a millisecond too, also for arrays inside of objects and maps.
set -euo pipefail
dir=$(mktemp -d)
trap 'rm -rf "$dir"' EXIT
cd "$dir"
echo '{ "private": true, "type": "module" }' >package.json
npm install --silent --no-audit --no-fund vitest@4.1.12
cat >equal.test.ts <<'TS'
import { deepStrictEqual } from 'node:assert';
import { expect, it } from 'vitest';

it('compares', () => {
  const [a, b] = [new Uint8Array(300_000), new Uint8Array(300_000)];
  const time = (compare: () => void): number => {
    const began = performance.now();
    compare();
    return performance.now() - began;
  };
  time(() => deepStrictEqual(a, b));
  const asserted = time(() => deepStrictEqual(a, b));
  const plain = time(() => expect(a).toEqual(b));
  expect.addEqualityTesters([
    (x, y) =>
      x instanceof Uint8Array && y instanceof Uint8Array && Buffer.from(x.buffer).equals(Buffer.from(y.buffer)) ? true : undefined,
  ]);
  const tested = time(() => expect({ a }).toEqual({ a: b }));
  console.log(`SEEN ${JSON.stringify({ asserted, plain, tested })}`);
});
TS
npx vitest run --testTimeout 120000 2>&1 | grep -o 'SEEN .*' | sed 's/^SEEN //' >seen.json
node --input-type=commonjs - <<'JS'
const { asserted, plain, tested } = JSON.parse(require("node:fs").readFileSync("seen.json", "utf8"));
console.log(`toEqual ${plain.toFixed(0)} ms, with a tester of bytes ${tested.toFixed(1)} ms, node:assert ${asserted.toFixed(1)} ms`);
if (!(plain > 100 * tested && plain > 100 * asserted)) throw new Error("toEqual is no longer a hundred times slower");
JS
