/**
 * Copies what is needed of the development dependency onnxruntime-node into vendor/onnxruntime-node/, which is
 * published with the package, so that its install script never runs on a user's machine
 * (docs/decisions/0002-vendored-onnx-runtime.md).
 *
 * @example
 * node scripts/vendor-onnxruntime.mjs
 */
import { cpSync, mkdirSync, readdirSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';

const root = fileURLToPath(new URL('..', import.meta.url));
const target = join(root, 'vendor', 'onnxruntime-node');
const source = dirname(dirname(createRequire(import.meta.url).resolve('onnxruntime-node')));

/**
 * Platform, architecture and the files that a CPU session needs there. Left out: DirectML.dll, dxcompiler.dll and
 * dxil.dll (38 MB: GPU only; onnxruntime.dll loads the first on demand and the others by name), the second copy
 * of the macOS library (45 MB, same bytes; the binding asks for libonnxruntime.1.dylib), Windows on ARM (32 MB).
 * @type {[string, string, string[]][]}
 */
const PLATFORMS = [
  ['linux', 'x64', ['onnxruntime_binding.node', 'libonnxruntime.so.1']],
  ['linux', 'arm64', ['onnxruntime_binding.node', 'libonnxruntime.so.1']],
  ['darwin', 'arm64', ['onnxruntime_binding.node', 'libonnxruntime.1.dylib']],
  ['win32', 'x64', ['onnxruntime_binding.node', 'onnxruntime.dll']],
];

const upstream = JSON.parse(readFileSync(join(source, 'package.json'), 'utf8'));
const own = JSON.parse(readFileSync(join(root, 'package.json'), 'utf8'));
if (own.dependencies['onnxruntime-common'] !== upstream.version) {
  throw new Error(`onnxruntime-common must be ${upstream.version}, the version of onnxruntime-node`);
}

rmSync(target, { recursive: true, force: true });
mkdirSync(join(target, 'dist'), { recursive: true });
for (const file of readdirSync(join(source, 'dist'))) {
  if (file.endsWith('.js')) cpSync(join(source, 'dist', file), join(target, 'dist', file));
}
let bytes = 0;
for (const [platform, architecture, files] of PLATFORMS) {
  const folder = join('bin', 'napi-v6', platform, architecture);
  mkdirSync(join(target, folder), { recursive: true });
  for (const file of files) {
    cpSync(join(source, folder, file), join(target, folder, file));
    bytes += statSync(join(target, folder, file)).size;
  }
}
for (const file of ['LICENSE', 'ThirdPartyNotices.txt']) {
  cpSync(join(root, 'third_party', 'onnxruntime', file), join(target, file));
}
// No scripts, no dependencies: a folder of files, with the type that its CommonJS code needs.
const manifest = {
  name: upstream.name,
  version: upstream.version,
  license: upstream.license,
  repository: upstream.repository,
  type: 'commonjs',
  main: 'dist/index.js',
  private: true,
};
writeFileSync(join(target, 'package.json'), `${JSON.stringify(manifest, null, 2)}\n`);
process.stderr.write(
  `vendor/onnxruntime-node: ${upstream.version}, ${PLATFORMS.length} platforms, ${Math.round(bytes / 1e6)} MB\n`,
);
