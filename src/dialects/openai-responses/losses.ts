import type { DialectEnvironment } from '../../core/dialect.ts';
import { GatewayError } from '../../core/errors.ts';
import type { Warning, WarningCode } from '../../operations/shared.ts';

/** Collects what could not be carried over: a warning each, or an error at once where the caller wants it strict. */
export class Losses {
  readonly warnings: Warning[] = [];
  readonly #environment: DialectEnvironment;

  constructor(environment: DialectEnvironment) {
    this.#environment = environment;
  }

  note(code: WarningCode, feature: string, message: string, path?: string): void {
    if (this.#environment.strict === true) this.refuse(feature, message, path);
    // A hint on every part is one loss, not a hundred.
    if (this.warnings.some((warning) => warning.feature === feature && warning.path === path)) return;
    this.warnings.push({ code, feature, message, ...(path !== undefined && { path }) });
  }

  /** Nothing is lost, only written another way: no reason to refuse, however strict. */
  tell(code: WarningCode, feature: string, message: string): void {
    this.warnings.push({ code, feature, message });
  }

  /** What the answer would be wrong without. Another target may be able to. */
  refuse(feature: string, message: string, path?: string): never {
    const { target } = this.#environment;
    throw new GatewayError('unsupported', `${target.provider}/${target.model}: ${message}`, {
      target,
      field: path ?? feature,
    });
  }
}
