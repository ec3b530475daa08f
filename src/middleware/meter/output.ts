import { type BatchWriter, createBatchWriter } from '../../core/batch-writer.ts';
import { GatewayError, toGatewayError } from '../../core/errors.ts';
import type { Ledger, LedgerRow } from '../../core/ledger.ts';
import type { Host } from '../../core/middleware.ts';

export interface OutputOptions {
  readonly sink?: (row: LedgerRow) => void | Promise<void>;
  readonly ledger?: Pick<Ledger, 'write' | 'flush'>;
  readonly batchSize?: number;
  readonly intervalMs?: number;
  readonly queueMax?: number;
  readonly onFull?: 'drop-oldest' | 'block' | 'refuse';
}

/** Where rows go: a function at once, a ledger in batches. Harms no call. */
export class Output {
  readonly #options: OutputOptions;
  readonly #host: Host;
  readonly #writer: BatchWriter<LedgerRow> | undefined;
  readonly #pending = new Set<Promise<void>>();
  readonly #queueMax: number;
  #blocked: Promise<void> | undefined;
  #dropped = 0;

  constructor(options: OutputOptions, host: Host) {
    this.#options = options;
    this.#host = host;
    this.#queueMax = options.queueMax ?? 10_000;
    const { ledger, batchSize, intervalMs, onFull = 'drop-oldest' } = options;
    if (ledger === undefined) return;
    this.#writer = createBatchWriter<LedgerRow>({
      write: (batch) => ledger.write(batch),
      clock: host.clock,
      queueMax: this.#queueMax,
      // A row is never refused, only the calls that would make more.
      onFull: onFull === 'drop-oldest' ? 'drop-oldest' : 'block',
      onProblem: (error) => this.#problem(error, 'meter.ledger'),
      ...(batchSize !== undefined && { batchSize }),
      ...(intervalMs !== undefined && { intervalMs }),
    });
  }

  /** Rows lost: to a full queue, to a ledger that kept failing, or to a sink whose promises do not settle. */
  get dropped(): number {
    return this.#dropped + (this.#writer?.dropped ?? 0);
  }

  /** Waits, or refuses, while the queue is full and the policy says so. */
  room(): Promise<void> | undefined {
    const writer = this.#writer;
    if (writer === undefined || writer.size < this.#queueMax) return undefined;
    if (this.#options.onFull === 'block') return this.#blocked;
    if (this.#options.onFull !== 'refuse') return undefined;
    throw new GatewayError('limit-exceeded', `The meter's queue of rows is full (queueMax ${this.#queueMax}).`, {
      stage: 'meter',
      limit: { name: 'queueMax', maximum: this.#queueMax, actual: writer.size },
    });
  }

  write(row: LedgerRow): void {
    if (this.#options.sink !== undefined) this.#tell(this.#options.sink, row);
    const added = this.#writer?.add(row);
    if (added === undefined) return;
    this.#blocked = added;
    added.catch((error: unknown) => {
      this.#dropped++;
      this.#problem(error, 'meter.ledger');
    });
  }

  async flush(): Promise<void> {
    await Promise.all(this.#pending);
    await this.#writer?.flush();
    await this.#options.ledger?.flush();
  }

  async close(): Promise<void> {
    await this.#writer?.close();
    await this.flush();
  }

  #tell(sink: NonNullable<OutputOptions['sink']>, row: LedgerRow): void {
    if (this.#pending.size >= this.#queueMax) {
      this.#dropped++;
      return;
    }
    try {
      const done = sink(row);
      if (!(done instanceof Promise)) return;
      const watched: Promise<void> = done
        .catch((thrown: unknown) => {
          this.#dropped++;
          this.#problem(thrown, 'meter.sink');
        })
        .finally(() => this.#pending.delete(watched));
      this.#pending.add(watched);
    } catch (thrown) {
      this.#dropped++;
      this.#problem(thrown, 'meter.sink');
    }
  }

  #problem(thrown: unknown, stage: string): void {
    const error = toGatewayError(thrown, stage);
    this.#host.emit('problem', { stage, code: error.code, error });
  }
}
