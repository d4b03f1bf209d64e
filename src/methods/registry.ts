/**
 * The methods by name. Adding one is a file under src/methods and a line in `createMethods`; the contract test
 * (registry.test.ts) and the promise tests (test/promises) then cover it without further ado.
 *
 * @example
 * const method = createMethods().get('cp-mae');
 */
import { Failure, Refusal } from '../errors/errors.js';
import { averageFace } from './average-face/average-face.js';
import { cpGan } from './cp-gan/cp-gan.js';
import { cpMae } from './cp-mae/cp-mae.js';
import { deface } from './deface/deface.js';
import { faceMask } from './face-mask/face-mask.js';
import type { RemodellingMethod, RemovalMethod } from './method.js';
import { quickshear } from './quickshear/quickshear.js';
import { watershed } from './watershed/watershed.js';

/** What the conditioning of a method holds is between its two halves; the pipeline only carries it across. */
export type Method = RemodellingMethod<unknown> | RemovalMethod;

export class MethodRegistry {
  readonly #methods = new Map<string, Method>();

  /** @throws {Failure} internal when the name is taken or is not lower case letters, digits and hyphens. */
  register(method: Method): this {
    if (!/^[a-z0-9]+(-[a-z0-9]+)*$/.test(method.name) || this.#methods.has(method.name))
      throw new Failure('internal', `a method cannot be registered as "${method.name}"`);
    this.#methods.set(method.name, method);
    return this;
  }

  /** @throws {Refusal} option-invalid with the names there are. */
  get(name: string): Method {
    const method = this.#methods.get(name);
    if (method === undefined)
      throw new Refusal(
        'option-invalid',
        `expected a method (${this.names.join(', ') || 'none'}), found "${name}"`,
      );
    return method;
  }

  /** In order of registration: the first is the default. */
  get names(): readonly string[] {
    return [...this.#methods.keys()];
  }

  get all(): readonly Method[] {
    return [...this.#methods.values()];
  }
}

/** All methods that ship. */
export function createMethods(): MethodRegistry {
  return new MethodRegistry()
    .register(cpMae)
    .register(cpGan)
    .register(quickshear)
    .register(deface)
    .register(faceMask)
    .register(watershed)
    .register(averageFace);
}
