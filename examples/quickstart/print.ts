/** Plain words where nobody looks, a little colour where a terminal allows it (no-color.org). */
const colourful = process.stdout.isTTY === true && process.env['NO_COLOR'] === undefined;
const paint = (code: number) => (text: string) => (colourful ? `\u001b[${code}m${text}\u001b[0m` : text);

export const bold = paint(1);
export const dim = paint(2);
export const red = paint(31);
export const green = paint(32);
export const cyan = paint(36);

let step = 0;
export function title(text: string): void {
  step++;
  console.log(`\n${bold(cyan(`${step}. ${text}`))}`);
}

export function line(label: string, text: string): void {
  console.log(`   ${dim(label.padEnd(9))} ${text}`);
}

export function table(rows: readonly (readonly (string | number)[])[]): void {
  const widths = (rows[0] ?? []).map((_, column) => Math.max(...rows.map((row) => String(row[column]).length)));
  for (const [index, row] of rows.entries()) {
    const text = row
      .map((cell, column) =>
        typeof cell === 'number'
          ? String(cell).padStart(widths[column] as number)
          : cell.padEnd(widths[column] as number),
      )
      .join('  ');
    console.log(`   ${index === 0 ? dim(text) : text}`);
  }
}
