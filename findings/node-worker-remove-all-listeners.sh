#!/usr/bin/env bash
# Condition: a worker thread that answers every message; between two questions the asker takes its listeners off with
# worker.removeAllListeners() and puts new ones on.
# A guess: only the asker's own listeners go, as with any EventEmitter, and the next answer is heard.
# Seen with Node 20.20.2: after removeAllListeners() nothing is heard of the worker again, neither by once nor by on; taking the same
# listeners off one by one (worker.off) does no harm. What waits for an answer waits for ever, with no error.
set -euo pipefail
dir=$(mktemp -d)
trap 'rm -rf "$dir"' EXIT
cat >"$dir/ask.mjs" <<'JS'
import { Worker } from 'node:worker_threads';
const echo = `const { parentPort } = require('node:worker_threads'); parentPort.on('message', (m) => parentPort.postMessage(m));`;
const asked = async (between) => {
  const worker = new Worker(echo, { eval: true });
  const ask = (message) =>
    new Promise((resolve) => {
      const timer = setTimeout(() => resolve('nothing in 3 s'), 3000);
      const heard = (answer) => {
        clearTimeout(timer);
        between(worker, heard);
        resolve(answer);
      };
      worker.on('message', heard);
      worker.postMessage(message);
    });
  const answers = [await ask('one'), await ask('two')];
  // Its promise is not kept either.
  void worker.terminate();
  return answers.join(', ');
};
const all = await asked((worker) => worker.removeAllListeners());
const each = await asked((worker, heard) => worker.off('message', heard));
console.log(`removeAllListeners: ${all}; off: ${each}`);
if (all !== 'one, nothing in 3 s' || each !== 'one, two') throw new Error('behaviour changed');
process.exit(0);
JS
node "$dir/ask.mjs"
