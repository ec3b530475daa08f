import { checkDimension, type PercentileQuery, type Percentiles } from '../../core/ledger.ts';
import { Durations } from '../../core/ledger-durations.ts';
import type { Session, SqliteRecord } from './database.ts';
import { columnOf, type Part, periodOf, whereOf, wholeDays } from './read.ts';

const DURATION_DIMENSIONS: readonly string[] = ['provider', 'model', 'operation'];

export function readPercentiles(session: Session, query: PercentileQuery): Percentiles[] {
  const names = (query.groupBy ?? []).map(checkDimension);
  const keys = names.map((name) => columnOf('attempt', name));
  const where = whereOf('attempt', query);
  const selected = keys.map((key, index) => `${key.sql} AS k${index}, `).join('');
  const grouped = [...keys, null].map((_, index) => index + 1).join(', ');
  const durations = new Durations();
  const read = (table: string, step: string, count: string, condition: Part): void => {
    const sql = `SELECT ${selected}${step} AS step, ${count} AS count FROM ${table}
      WHERE ${[condition.sql, ...where.map((part) => part.sql)].join(' AND ')} GROUP BY ${grouped}`;
    const values = [...keys, condition, ...where].flatMap((part) => part.values);
    for (const record of session.statement(sql).all(...values) as SqliteRecord[]) {
      const key = names.map((_, index) => record[`k${index}`] as string | null);
      durations.add(key, Number(record.step), Number(record.count));
    }
  };
  const rows = (from: number | undefined, to: number | undefined): void => {
    const column = query.of === 'latencyMs' ? 'latency_step' : 'first_content_step';
    const period = periodOf('at', from, to);
    read('attempts', column, 'COUNT(*)', { sql: `${period.sql} AND ${column} IS NOT NULL`, values: period.values });
  };
  const used = [...names, ...Object.keys(query.where ?? {})];
  if (used.every((name) => DURATION_DIMENSIONS.includes(name))) {
    const { firstDay, endDay, head, tail } = wholeDays(query);
    if (firstDay < endDay) {
      read('daily_durations', 'step', 'SUM(count)', {
        sql: 'day >= ? AND day < ? AND "of" = ?',
        values: [firstDay, endDay, query.of],
      });
    }
    for (const [from, to] of [head, tail]) if (from < to) rows(from, to);
  } else rows(query.from, query.to);
  return durations.list(query);
}
