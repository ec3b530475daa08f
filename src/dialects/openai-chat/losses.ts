import type { DialectEnvironment } from '../../core/dialect.ts';
import { GatewayError } from '../../core/errors.ts';
import type { Warning, WarningCode } from '../../operations/shared.ts';

/** Collects what cannot be said in this protocol: a warning, or under `strict` an error. */
export class Losses {
  readonly warnings: Warning[] = [];
  readonly #environment: DialectEnvironment;

  constructor(environment: DialectEnvironment) {
    this.#environment = environment;
  }

  /** Something is left out, clamped or said in another way. */
  warn(code: WarningCode, path: string, feature: string, message: string): void {
    if (this.#environment.strict === true) this.refuse(path, feature);
    this.warnings.push({ code, path, feature, message });
  }

  /** Something changed form but not meaning: told even under `strict`, refused never. */
  note(code: WarningCode, path: string, feature: string, message: string): void {
    this.warnings.push({ code, path, feature, message });
  }

  /** Leaving this out would change what the answer means, so it is an error always. Another target may take it. */
  refuse(path: string, feature: string): never {
    const { target } = this.#environment;
    throw new GatewayError(
      'unsupported',
      `${target.provider}/${target.model} cannot take ${feature} (${path}) over the chat completions protocol.`,
      { target, field: path },
    );
  }
}
